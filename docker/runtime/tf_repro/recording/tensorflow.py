"""TensorFlow's own parts of a training: the tape, functions under XLA, and those of tf.data."""

from collections.abc import Callable
from types import ModuleType
from typing import Any

from tf_repro import patch


def _on_tape(module: ModuleType) -> None:
    @patch.around(module, "GradientTape.gradient")
    def gradient(
        original: Callable[..., Any], self: Any, target: Any, *args: Any, **kwargs: Any
    ) -> Any:
        from tf_repro.recording import steps  # noqa: PLC0415  # it needs TensorFlow

        steps.note_loss(target)
        return original(self, target, *args, **kwargs)


def _on_function(module: ModuleType) -> None:
    """Know what is compiled by XLA: a call to the host cannot be, and would end the program."""

    @patch.around(module, "Function.__call__")
    def call(original: Callable[..., Any], self: Any, *args: Any, **kwargs: Any) -> Any:
        if not getattr(self, "_jit_compile", None):
            return original(self, *args, **kwargs)
        from tf_repro.recording import at_hand  # noqa: PLC0415  # as above

        with at_hand.in_xla():
            return original(self, *args, **kwargs)


def _on_pipelines(module: ModuleType) -> None:
    """Take down the random ops of what `Dataset.map` and its like run."""

    @patch.around(module, "StructuredFunctionWrapper.__init__")
    def init(original: Callable[..., None], self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        from tf_repro.recording import random_ops  # noqa: PLC0415  # for programs that map

        graph = getattr(self.function, "graph", None)
        if graph is not None:
            random_ops.note(graph, f"tf.data {graph.name}")


ON_IMPORT: dict[str, Callable[[ModuleType], None]] = {
    "tensorflow.python.eager.backprop": _on_tape,
    "tensorflow.python.eager.polymorphic_function.polymorphic_function": _on_function,
    "tensorflow.python.data.ops.structured_function": _on_pipelines,
}
