"""tf.data: functions that draw get a key with each element: epochs go on, maps stay parallel.

The keys come from a dataset of random numbers that goes on where its last iterator stopped, zipped
in before the function's dataset. A function that does not draw is left as it is.
"""

import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Any

from tf_repro import messages, patch, streams
from tf_repro.draws import keys, ops, seeds

KIND = "tensorflow.data"
SEED_BITS = 31
# What draws from a state that a key can stand for, by the names of TensorFlow's ops.
_DRAWING = frozenset((*keys.STATEFUL.values(), "RngReadAndSkip"))

# Method of a dataset -> (the argument that is a function, where the new dataset keeps it, how many
# arguments come before the element).
METHODS = {
    "map": ("map_func", "_map_func", 0),
    "flat_map": ("map_func", "_map_func", 0),
    "interleave": ("map_func", "_map_func", 0),
    "filter": ("predicate", "_predicate", 0),
    "take_while": ("predicate", "_predicate", 0),
    "scan": ("scan_func", "_scan_func", 1),
}
# Those whose elements are their input's, and so still have the key.
KEEPING = ("filter", "take_while")


def draws(graph: Any) -> bool:
    """Return whether the function of `graph`, or one that it calls, draws."""
    return keys.is_drawing(graph) or ops.any_within(graph.get_operations(), _DRAWING.__contains__)


def _with_keys(dataset: Any, name: str) -> tuple[Any, Callable[[Any], Any]]:
    """Return the dataset of (number, element), and what makes a seed, int64 [2], of the number."""
    tensorflow = sys.modules["tensorflow"]
    made = tensorflow.data.Dataset
    if tensorflow.executing_eagerly():
        seed = streams.supply(f"{KIND}/{name}", SEED_BITS) or 1
        # Of 32 bits each: with one, elements would soon share their keys.
        numbers = made.random(seed, rerandomize_each_iteration=True).batch(2, drop_remainder=True)
        return made.zip((numbers, dataset)), lambda number: number
    # In a function, datasets begin anew at each call, but the key of what is around them goes on:
    # that of an element, or else a draw at each call.
    graph = tensorflow.compat.v1.get_default_graph()
    spread = keys.spread(keys.depth(graph))
    base = tensorflow.zeros([2], tensorflow.int64)
    if not keys.is_keyed(graph):
        base = tensorflow.random.uniform([2], maxval=tensorflow.int64.max, dtype=tensorflow.int64)

    def seed_for(index: Any) -> Any:
        return tensorflow.bitwise.bitwise_xor(base, tensorflow.stack([0, (index + 1) * spread]))

    return made.zip((made.range(tensorflow.int64.max), dataset)), seed_for


def _by_key(
    function: Callable[..., Any], seed_for: Callable[[Any], Any], before: int
) -> tuple[Callable[..., Any], list[Any]]:
    """Return `function` of a number and an element, and where to look up the graph of its trace."""
    tensorflow = sys.modules["tensorflow"]
    autograph = sys.modules["tensorflow.python.autograph.impl.api"]
    convert = sys.modules["tensorflow.python.autograph.core.ag_ctx"].control_status_ctx()
    graphs: list[Any] = []

    def with_key(*arguments: Any) -> Any:
        state, rest = arguments[:before], arguments[before:]
        number, element = rest[0] if len(rest) == 1 else rest  # scan hands them on as one
        graph = tensorflow.compat.v1.get_default_graph()
        graphs.append(graph)
        keys.give(graph, seed_for(number))
        element = element if type(element) is tuple else (element,)
        return autograph.tf_convert(function, convert)(*state, *element)

    with_key.__name__ = getattr(function, "__name__", with_key.__name__)
    return tensorflow.autograph.experimental.do_not_convert(with_key), graphs


def _element(_: Any, element: Any) -> Any:
    return element


def _drawing_by_key(method: str) -> Callable[..., Any]:
    """Return what gives keys to the function of a method of Dataset, if it draws."""
    kept = METHODS[method][1]

    def give_keys(original: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        plain = original(*args, **kwargs)
        if not sys.modules["tensorflow"].compat.v1.executing_eagerly_outside_functions():
            return plain  # iterators of TF 1 take no more inputs than they have
        function = getattr(getattr(plain, kept, None), "function", None)
        if function is None or not draws(function.graph):
            return plain
        try:
            keyed = _traced_by_key(method, original, args, kwargs)
        except Exception as error:  # noqa: BLE001  # a function that cannot be traced twice, perhaps
            last_line = str(error).strip().rpartition("\n")[2].strip()
            messages.warn(
                f"Dataset.{method} does not draw by key, so its epochs repeat: its function could "
                f"not be traced a second time: {type(error).__name__}: {last_line}"
            )
            return plain
        if keyed is None:  # the script has seeded what draws
            observer = streams.state.repeat_observer
            if observer is not None and any(map(_is_legacy, function.graph.get_operations())):
                observer(f"Dataset.{method}")
            return plain
        return keyed

    return give_keys


def _is_legacy(op: Any) -> bool:
    """Return whether the state of what an op draws from begins anew with each iterator."""
    return op.type in keys.STATEFUL.values()


def _traced_by_key(
    method: str, original: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]
) -> Any:
    """Return the dataset whose function draws by key, or None if nothing in it does."""
    if seeds.is_own_everywhere():
        return None
    argument, _, before = METHODS[method]
    bound = inspect.signature(original).bind(*args, **kwargs)
    dataset, given = bound.arguments["self"], bound.arguments[argument]
    bound.arguments["self"], seed_for = _with_keys(dataset, getattr(given, "__name__", method))
    bound.arguments[argument], graphs = _by_key(given, seed_for, before)
    keyed = original(*bound.args, **bound.kwargs)
    if not any(map(keys.is_drawing, graphs)):
        return None
    return keyed.map(_element) if method in KEEPING else keyed


def on_dataset_ops(module: ModuleType) -> None:
    """Give keys to what draws in the functions of all datasets."""
    for method in METHODS:
        patch.around(module, f"DatasetV2.{method}")(_drawing_by_key(method))
