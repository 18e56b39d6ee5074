"""Which cell of a notebook is running, and which has failed, whatever runs the notebook."""

import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

from tf_repro import patch
from tf_repro.recording.format import Kind


def number() -> int:
    """Return n of the In[n] that this kernel is running; 0 where there is no kernel."""
    shells = sys.modules.get("IPython.core.interactiveshell")
    if shells is None or not shells.InteractiveShell.initialized():
        return 0
    # Its execution_count may be that of the next one already, as in IPython 9.
    return len(shells.InteractiveShell.instance().history_manager.input_hist_raw) - 1


def _on_shell(module: ModuleType) -> None:
    @patch.around(module, "InteractiveShell.__init__")
    def init(original: Callable[..., None], self: Any, *args: Any, **kwargs: Any) -> None:
        from tf_repro.recording.guard import guarded  # noqa: PLC0415  # in a kernel alone

        original(self, *args, **kwargs)
        self.events.register("post_run_cell", guarded("a cell that failed")(note_failure))


def note_failure(result: Any) -> None:
    """Write down a cell that has failed; result is IPython's ExecutionResult."""
    from tf_repro.notebook import cells  # noqa: PLC0415  # as above
    from tf_repro.recording import writer  # noqa: PLC0415  # as above

    error = result.error_before_exec or result.error_in_exec
    if error is not None:
        words = " ".join(f"{type(error).__name__}: {error}".split())
        writer.write(Kind.FAILED, cell=cells.label(number(), result.info.raw_cell), error=words)


ON_IMPORT: dict[str, Callable[[ModuleType], None]] = {"IPython.core.interactiveshell": _on_shell}
