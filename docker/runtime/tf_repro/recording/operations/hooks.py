"""Where the recorder of single operations takes hold of TensorFlow; under `--bisect` alone."""

from collections.abc import Callable
from types import ModuleType
from typing import Any

from tf_repro import patch


def _on_tensorflow(_: ModuleType) -> None:
    """Be called for every operation of the thread that imports TensorFlow, and of its replicas."""
    from tensorflow.python.framework import op_callbacks  # noqa: PLC0415  # imported by now

    from tf_repro.recording.operations import seen  # noqa: PLC0415  # it needs NumPy

    op_callbacks.add_op_callback(seen.on_op)


def _on_pipelines(module: ModuleType) -> None:
    """Know what tf.data runs in threads of its own, and ahead of the steps."""

    @patch.around(module, "StructuredFunctionWrapper.__init__")
    def init(original: Callable[..., None], self: Any, *args: Any, **kwargs: Any) -> None:
        from tf_repro.recording import at_hand  # noqa: PLC0415  # as above

        before, at_hand.here.pipeline = at_hand.here.pipeline, True
        try:
            original(self, *args, **kwargs)
        finally:
            at_hand.here.pipeline = before


ON_IMPORT: dict[str, Callable[[ModuleType], None]] = {
    # All of it, and not before: who is asked for the context decides whether it is eager.
    "tensorflow": _on_tensorflow,
    "tensorflow.python.data.ops.structured_function": _on_pipelines,
}
