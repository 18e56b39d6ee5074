"""TensorFlow: the global seed, and what asks for more than a global seed.

Keras' initialisers, dropout and preprocessing layers draw their seeds from Python's `random`, in
Keras 2 and 3 alike, and need nothing of their own here. The modules below are patched as they are
executed, before tensorflow/__init__ copies their functions into its public names.
"""

import inspect
import os
import sys
import time
from collections.abc import Callable
from types import ModuleType
from typing import Any

from tf_repro import patch, streams
from tf_repro.draws import generators, seeds

# Seeds of ops are C ints, and 0 means "no seed".
OP_SEED_BITS = 31


def reseed() -> None:
    """Give TensorFlow the seed of this process."""
    context = sys.modules["tensorflow.python.eager.context"]
    # Takes the seed down and starts nothing. A runtime that is running in a forked child is
    # beyond repair: its threads are gone, and its locks may be held for ever.
    if not streams.scope().path or not context.context()._initialized:
        context.set_global_seed(streams.global_seed("tensorflow"))


def _on_tensorflow(module: ModuleType) -> None:
    if os.environ.get("TF_DETERMINISTIC_OPS") == "1":
        # TensorFlow reads the variable as it is imported; here it may have been set later.
        module.config.experimental.enable_op_determinism()
    reseed()
    streams.on_new_process("tensorflow", reseed)


def _on_stateful_random_ops(module: ModuleType) -> None:
    """Generators that start from the system's entropy, which raise under determinism."""

    @patch.around(module, "Generator.from_non_deterministic_state")
    def from_non_deterministic_state(_: Callable[..., Any], cls: Any, alg: Any = None) -> Any:
        return generators.is_unseeded(
            cls.from_seed(streams.supply("tensorflow.Generator", 63), alg)
        )

    @patch.around(module, "get_global_generator")
    def get_global_generator(original: Callable[..., Any]) -> Any:
        if module.global_generator is None:
            # At the first use and not before: creating one starts the runtime.
            with module.ops.init_scope():
                module.set_global_generator(module.Generator.from_non_deterministic_state())
        return original()

    generators.on_stateful_random_ops(module)


def _seeded(*names: str, **fixed: object) -> Callable[..., Any]:
    """Return what gives an op seeds from a stream wherever it is called without.

    It is for an op that raises under determinism when its own seed is 0 or None, whatever the
    global seed.

    Args:
        names: its seed arguments.
        fixed: arguments that determinism wants at one value.
    """

    def op(original: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        bound = inspect.signature(original).bind(*args, **kwargs)
        missing = [name for name in names if not bound.arguments.get(name)]
        bound.arguments.update({name: _op_seed(original.__name__) for name in missing})
        bound.arguments.update(fixed)
        return original(*bound.args, **bound.kwargs)

    return op


def _op_seed(name: str) -> int:
    """Return the seed of an op that has none: a graph's, or one of its own kind."""
    tensorflow = sys.modules["tensorflow"]
    graph = tensorflow.compat.v1.get_default_graph()
    if not tensorflow.executing_eagerly() and not seeds.is_own(graph):
        return seeds.stream_seed(graph)
    return streams.supply(f"tensorflow.{name}", OP_SEED_BITS) or 1


def _on_image_ops(module: ModuleType) -> None:
    patch.around(module, "sample_distorted_bounding_box_v2")(_seeded("seed"))
    patch.around(module, "sample_distorted_bounding_box")(_seeded("seed", "seed2"))


def _on_nn_ops(module: ModuleType) -> None:
    for name in ("fractional_max_pool_v2", "fractional_avg_pool_v2"):
        patch.around(module, name)(_seeded("seed"))
    for name in ("fractional_max_pool", "fractional_avg_pool"):
        patch.around(module, name)(_seeded("seed", "seed2", deterministic=True))


def _on_logging_ops(module: ModuleType) -> None:
    """tf.timestamp's kernel raises under determinism; the time is no random number."""

    @patch.around(module, "timestamp")
    def timestamp(_: Callable[..., Any], name: Any = None) -> Any:
        tensorflow = sys.modules["tensorflow"]
        if tensorflow.executing_eagerly():
            return tensorflow.constant(time.time(), tensorflow.float64, name=name)
        now = tensorflow.numpy_function(time.time, [], tensorflow.float64, name=name)
        now.set_shape(())
        return now


def _on_math_ops(module: ModuleType) -> None:
    """Count in one thread: the CPU kernels add floats in the order in which threads get there.

    Weighted counts differ in silence with two or more intra-op threads (2.12 to 2.21), and on a
    GPU the ops raise. Over rows the kernel is parallel by row and sums each in order, so a vector
    goes in as one row.
    https://github.com/tensorflow/tensorflow/blob/v2.15.1/tensorflow/core/kernels/bincount_op.cc
    """

    # The names are TensorFlow's: the ops are called by keyword too, and the raw ones by no other.
    def dense_bincount(
        original: Callable[..., Any],
        input: Any,  # noqa: A002  # as above
        size: Any,
        weights: Any,
        binary_output: bool = False,
        name: Any = None,
    ) -> Any:
        tensorflow = sys.modules["tensorflow"]
        values = tensorflow.convert_to_tensor(input)
        outer = tensorflow.shape(values)[:-1]
        # The kernel for vectors refuses negative values; the one for rows writes out of bounds
        # (2.12 to 2.15).
        checked = tensorflow.debugging.assert_non_negative(values, "Input must be non-negative")
        with tensorflow.device("CPU:0"), tensorflow.control_dependencies([checked]):
            counts = original(
                input=_as_rows(tensorflow, values),
                size=size,
                weights=_as_rows(tensorflow, tensorflow.convert_to_tensor(weights)),
                binary_output=binary_output,
                name=name,
            )
            return tensorflow.reshape(
                counts, tensorflow.concat([outer, tensorflow.shape(counts)[-1:]], 0)
            )

    def bincount(_: Callable[..., Any], arr: Any, size: Any, weights: Any, name: Any = None) -> Any:
        tensorflow = sys.modules["tensorflow"]
        flat = [tensorflow.reshape(tensorflow.convert_to_tensor(x), [-1]) for x in (arr, weights)]
        return module.dense_bincount(flat[0], size, flat[1], name=name)

    for name in ("dense_bincount", "DenseBincount"):
        patch.around(module, name)(dense_bincount)
    for name in ("bincount", "Bincount"):
        patch.around(module, name)(bincount)


def _as_rows(tensorflow: ModuleType, tensor: Any) -> Any:
    """Return a vector as a matrix of one row, and a matrix as it is, in a graph of any rank."""
    if tensor.shape.rank == 2:  # noqa: PLR2004  # rows and columns
        return tensor
    shape = tensorflow.concat([[1], tensorflow.shape(tensor)], 0)
    return tensorflow.reshape(tensor, shape[-2:])


ON_IMPORT: dict[str, Callable[[ModuleType], None]] = {
    "tensorflow": _on_tensorflow,
    "tensorflow.python.ops.stateful_random_ops": _on_stateful_random_ops,
    "tensorflow.python.ops.image_ops_impl": _on_image_ops,
    "tensorflow.python.ops.nn_ops": _on_nn_ops,
    "tensorflow.python.ops.gen_logging_ops": _on_logging_ops,
    "tensorflow.python.ops.gen_math_ops": _on_math_ops,
}
