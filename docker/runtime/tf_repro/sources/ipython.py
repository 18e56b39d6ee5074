"""IPython and notebook kernels: every session begins like a script.

A kernel draws from the global generator for itself while it starts, in threads, so that how often
depends on the machine's mood. What the user's first cell draws must not: the generators begin again
right before it.
"""

from collections.abc import Callable
from types import ModuleType
from typing import Any

from tf_repro import patch, streams


def _on_shell(module: ModuleType) -> None:
    @patch.around(module, "InteractiveShell.__init__")
    def init(original: Callable[..., None], self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)

        def begin(*_: Any) -> None:
            self.events.unregister("pre_run_cell", begin)
            if not streams.state.own_seeds:  # by a start-up file of the user's
                streams.reseed_all()

        self.events.register("pre_run_cell", begin)


ON_IMPORT: dict[str, Callable[[ModuleType], None]] = {
    "IPython.core.interactiveshell": _on_shell,
}
