"""Python functions in a map: those that are pure but for what they draw draw by the element's key.

A copy of such a function is called (element.py), and its op is one without a state. So elements may
be made in parallel and ahead of time, and nothing moves the global generators. All other functions
are called for one element after the other, since they may keep anything (purity.py).
"""

import sys
import weakref
from collections.abc import Callable, Sequence
from types import FunctionType, ModuleType
from typing import Any

from tf_repro import patch, streams
from tf_repro.draws import element, keys, purity

# Function -> what was found of it, or None if it may do more than draw.
_examined: "weakref.WeakKeyDictionary[FunctionType, purity.Examined | None]" = (
    weakref.WeakKeyDictionary()
)


def _examine(function: Any) -> "purity.Examined | None":
    if not isinstance(function, FunctionType):
        return None
    if function not in _examined:
        try:
            _examined[function] = purity.Examined(function)
        except purity.ImpureError:
            _examined[function] = None
    return _examined[function]


def _is_of_dataset(graph: Any) -> bool:
    return str(getattr(graph, "name", "")).startswith("Dataset_")


def on_script_ops(module: ModuleType) -> None:
    """Make the ops of pure Python functions in tf.data pure, and have them draw by key."""
    around = patch.around(module, "numpy_function")
    around(_pure_where_it_is(lambda function: function))
    # Its arguments are eager tensors.
    patch.around(module, "eager_py_func")(_pure_where_it_is(_with_tensors))


def _with_tensors(function: Callable[..., Any]) -> Callable[..., Any]:
    def with_tensors(seed: Any, *args: Any) -> Any:
        return function(seed, *map(sys.modules["tensorflow"].constant, args))

    return with_tensors


def _pure_where_it_is(
    adapt: Callable[[Callable[..., Any]], Callable[..., Any]],
) -> Callable[..., Any]:
    def op(
        original: Callable[..., Any],
        func: Any = None,
        inp: Any = None,
        Tout: Any = None,  # noqa: N803  # TensorFlow's name
        *args: Any,
        **kwargs: Any,
    ) -> Any:
        def as_ever() -> Any:
            return original(func, inp, Tout, *args, **kwargs)

        tensorflow = sys.modules["tensorflow"]
        graph = tensorflow.compat.v1.get_default_graph()
        if func is None or tensorflow.executing_eagerly() or not _is_of_dataset(graph):
            return as_ever()
        found = _examine(func)
        own = streams.state.own_seeds
        if found is None or any(library in own for library in found.libraries):
            return as_ever()
        if not _are_tensors(tensorflow, inp, Tout):
            return as_ever()
        if found.libraries:
            keys.note_draw(graph)
        draw = keys.draw_here()
        if draw is None and found.libraries:
            return as_ever()
        seed = tensorflow.zeros([2], tensorflow.int64) if draw is None else draw.seed()
        by_key = adapt(element.drawing_by_key(func))
        return pure(by_key, [seed, *inp], Tout, kwargs.get("name"))

    return op


def pure(function: Callable[..., Any], inputs: Sequence[Any], types: Any, name: Any = None) -> Any:
    """Return what a pure Python function gives, by an op without a state.

    The arguments are those of tf.numpy_function.
    """
    numpy_function = sys.modules["tensorflow.python.ops.script_ops"].numpy_function
    op = getattr(numpy_function, "__wrapped__", numpy_function)
    return op(function, inputs, types, stateful=False, name=name)


def _are_tensors(tensorflow: ModuleType, inputs: Any, outputs: Any) -> bool:
    """Return whether a function takes and returns tensors, and none of what is made of several."""
    outputs = outputs if isinstance(outputs, list | tuple) else [outputs]
    return (
        isinstance(inputs, Sequence)
        and not any(isinstance(each, tensorflow.__internal__.CompositeTensor) for each in inputs)
        and all(isinstance(each, tensorflow.DType | str | type) for each in outputs)
    )
