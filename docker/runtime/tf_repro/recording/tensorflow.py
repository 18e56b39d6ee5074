"""TensorFlow's own parts of a training: the tape, functions under XLA, and those of tf.data."""

import functools
from collections.abc import Callable
from types import ModuleType
from typing import Any


def _on_tape(module: ModuleType) -> None:
    tape = module.GradientTape
    original = tape.gradient

    @functools.wraps(original)
    def gradient(self: Any, target: Any, *args: Any, **kwargs: Any) -> Any:
        from tf_repro.recording import steps  # noqa: PLC0415  # it needs TensorFlow

        steps.note_loss(target)
        return original(self, target, *args, **kwargs)

    tape.gradient = gradient


def _on_function(module: ModuleType) -> None:
    """Know what is compiled by XLA: a call to the host cannot be, and would end the program."""
    function = module.Function
    original = function.__call__

    @functools.wraps(original)
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        if not getattr(self, "_jit_compile", None):
            return original(self, *args, **kwargs)
        from tf_repro.recording import at_hand  # noqa: PLC0415  # as above

        with at_hand.in_xla():
            return original(self, *args, **kwargs)

    function.__call__ = call


def _on_pipelines(module: ModuleType) -> None:
    """Take down the random ops of what `Dataset.map` and its like run."""
    wrapper = module.StructuredFunctionWrapper
    original = wrapper.__init__

    @functools.wraps(original)
    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        from tf_repro.recording import random_ops  # noqa: PLC0415  # for programs that map

        graph = getattr(self.function, "graph", None)
        if graph is not None:
            random_ops.note(graph, f"tf.data {graph.name}")

    wrapper.__init__ = init


ON_IMPORT: dict[str, Callable[[ModuleType], None]] = {
    "tensorflow.python.eager.backprop": _on_tape,
    "tensorflow.python.eager.polymorphic_function.polymorphic_function": _on_function,
    "tensorflow.python.data.ops.structured_function": _on_pipelines,
}
