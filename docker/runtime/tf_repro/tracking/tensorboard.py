"""TensorBoard: a text beside the curves, in every folder of events that the script writes.

https://www.tensorflow.org/tensorboard/text_summaries
"""

import json
import weakref
from collections.abc import Callable
from types import ModuleType
from typing import Any

from tf_repro import patch
from tf_repro.tracking import run_passport
from tf_repro.tracking.leaving import at_exit, safely

TRACKER = "TensorBoard"
TAG = "tf_repro/passport"

_writing: "weakref.WeakSet[Any]" = weakref.WeakSet()


@safely(TRACKER)
def _leave(writer: Any) -> None:
    """Write the passport as a text: step 0 has what the run began with, step 1 its results."""
    import tensorflow as tf  # noqa: PLC0415  # whoever has a writer has it

    ends = writer in _writing
    if not tf.executing_eagerly() or getattr(writer, "_closed", False):
        return
    with tf.init_scope(), writer.as_default(), tf.summary.record_if(True):
        tf.summary.text(TAG, _markdown(run_passport.whole()), step=int(ends))
    if not ends:
        _writing.add(writer)
        at_exit(lambda: _end(writer))


def _end(writer: Any) -> None:
    if writer in _writing:
        _leave(writer)
        _writing.discard(writer)
        writer.flush()


def _markdown(passport: "dict[str, Any]") -> str:
    """Return it as a block of code: a line that begins with four blanks is one."""
    return "\n".join(f"    {line}" for line in json.dumps(passport, indent=1).splitlines())


def _on_summary(module: ModuleType) -> None:
    @patch.around(module, "create_file_writer_v2")
    def create_file_writer_v2(original: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        writer = original(*args, **kwargs)
        _leave(writer)
        return writer

    @patch.around(module, "_ResourceSummaryWriter.close")
    def close(original: Callable[..., Any], self: Any) -> Any:
        _end(self)
        return original(self)


ON_IMPORT: "dict[str, Callable[[ModuleType], None]]" = {
    "tensorflow.python.ops.summary_ops_v2": _on_summary,
}
