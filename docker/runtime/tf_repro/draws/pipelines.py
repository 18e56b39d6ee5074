"""tf.data: functions that draw get a key with each element: epochs go on, maps stay parallel.

The keys come from a dataset of random numbers that goes on where its last iterator stopped, zipped
in before the function's dataset. A function that does not draw is left as it is.
"""

import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Any, NamedTuple

from tf_repro import messages, patch, settings, streams
from tf_repro.draws import keys, nested, ops, seeds

KIND = "tensorflow.data"
SEED_BITS = 31
# Of numbers: large enough that opening one costs an element nothing, and made in a moment.
BLOCK = 1024

# Number -> seed, int64 [2].
SeedFor = Callable[[Any], Any]


def _of_element(seed_for: SeedFor, number: Any, element: Any) -> tuple[Any, Sequence[Any]]:
    return seed_for(number), element if type(element) is tuple else (element,)


def _after_state(seed_for: SeedFor, state: Any, *element: Any) -> tuple[Any, Sequence[Any]]:
    # scan hands the element on as one, and reduce in its parts.
    seed, rest = _of_element(seed_for, *(element[0] if len(element) == 1 else element))
    return seed, (state, *rest)


def _of_window(seed_for: SeedFor, key: Any, window: Any) -> tuple[Any, Sequence[Any]]:
    first = window.take(1).map(lambda number, _: number).get_single_element()
    return seed_for(first), (key, window.map(_element))


class Function(NamedTuple):
    """A function that a method of a dataset takes.

    Attributes:
        argument: its name.
        kept: the attribute of the new dataset that holds it.
        split: takes what makes seeds of numbers, and the arguments with a number; returns the seed
            and the arguments without.
    """

    argument: str
    kept: str
    split: Callable[..., tuple[Any, Sequence[Any]]] = _of_element


METHODS = {
    "map": (Function("map_func", "_map_func"),),
    "flat_map": (Function("map_func", "_map_func"),),
    "interleave": (Function("map_func", "_map_func"),),
    "filter": (Function("predicate", "_predicate"),),
    "take_while": (Function("predicate", "_predicate"),),
    "scan": (Function("scan_func", "_scan_func", _after_state),),
    "group_by_window": (
        Function("key_func", "_key_func"),
        Function("reduce_func", "_reduce_func", _of_window),
    ),
}
REDUCE = (Function("reduce_func", "", _after_state),)
# Those whose elements are their input's, and so still have the key.
KEEPING = ("filter", "take_while")


def _with_keys(dataset: Any, name: str) -> tuple[Any, SeedFor]:
    """Return the dataset of (number, element), and what makes a seed of the number."""
    tensorflow = sys.modules["tensorflow"]
    made = tensorflow.data.Dataset
    if tensorflow.executing_eagerly():
        seed = streams.supply(f"{KIND}/{name}", SEED_BITS) or 1
        # Of 32 bits each: with one, elements would soon share their keys.
        numbers = made.random(seed, rerandomize_each_iteration=True).batch(2, drop_remainder=True)
        if settings.current.task is not None:
            numbers = _in_shards(numbers)
        return made.zip((numbers, dataset)), lambda number: number
    # In a graph, datasets begin anew at each call, but the key of what is around them goes on:
    # that of an element, or else a draw at each call.
    graph = tensorflow.compat.v1.get_default_graph()
    spread = keys.spread(keys.depth(graph))
    base = tensorflow.zeros([2], tensorflow.int64)
    if not keys.is_keyed(graph):
        base = nested.drawn_seed()

    def seed_for(index: Any) -> Any:
        return tensorflow.bitwise.bitwise_xor(base, tensorflow.stack([0, (index + 1) * spread]))

    return made.zip((made.range(tensorflow.int64.max), dataset)), seed_for


def _in_shards(numbers: Any) -> Any:
    """Return the numbers in a dataset that TensorFlow can shard by file, between workers.

    It looks for a source that reads files below every dataset, and gives up at one without. Each
    block of numbers ends with the lines of no file; of the blocks, each worker takes its share.
    https://github.com/tensorflow/tensorflow/blob/v2.15.1/tensorflow/core/grappler/optimizers/data/auto_shard.cc
    """
    tensorflow = sys.modules["tensorflow"]

    def of_block(block: Any) -> Any:
        lines = tensorflow.data.TextLineDataset(tensorflow.zeros([0], tensorflow.string))
        nothing = lines.map(lambda _: tensorflow.zeros([2], tensorflow.int64))
        return tensorflow.data.Dataset.from_tensor_slices(block).concatenate(nothing)

    return numbers.batch(BLOCK, drop_remainder=True).flat_map(of_block)


def _by_key(
    function: Callable[..., Any], split: Callable[..., Any], seed_for: SeedFor, graphs: list[Any]
) -> Callable[..., Any]:
    """Return `function` of a number, too; the graphs of its traces are added to `graphs`."""
    tensorflow = sys.modules["tensorflow"]
    autograph = sys.modules["tensorflow.python.autograph.impl.api"]
    convert = sys.modules["tensorflow.python.autograph.core.ag_ctx"].control_status_ctx()

    def with_key(*arguments: Any) -> Any:
        graph = tensorflow.compat.v1.get_default_graph()
        graphs.append(graph)
        seed, rest = split(seed_for, *arguments)
        keys.give(graph, seed)
        return autograph.tf_convert(function, convert)(*rest)

    with_key.__name__ = getattr(function, "__name__", with_key.__name__)
    converted: Callable[..., Any] = tensorflow.autograph.experimental.do_not_convert(with_key)
    return converted


def _element(_: Any, element: Any) -> Any:
    return element


def _traced_by_key(
    method: str,
    functions: Sequence[Function],
    original: Callable[..., Any],
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
) -> tuple[Any, list[Any]]:
    """Return what the method gives if its functions draw by key, and the graphs of their traces."""
    bound = inspect.signature(original).bind(*args, **kwargs)
    given = bound.arguments
    name = getattr(given[functions[-1].argument], "__name__", method)
    given["self"], seed_for = _with_keys(given["self"], name)
    graphs: list[Any] = []
    for function in functions:
        split, called = function.split, given[function.argument]
        given[function.argument] = _by_key(called, split, seed_for, graphs)
    keyed = original(*bound.args, **bound.kwargs)
    return (keyed.map(_element) if method in KEEPING else keyed), graphs


def _drawing_by_key(method: str) -> Callable[..., Any]:
    """Return what gives keys to the functions of a method of Dataset, if they draw."""
    functions = METHODS[method]

    def give_keys(original: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        result = original(*args, **kwargs)
        dataset = result._dataset if type(result).__name__ == "DatasetV1Adapter" else result
        kept: list[Any] = [getattr(dataset, function.kept, None) for function in functions]
        graphs = [wrapper.function.graph for wrapper in kept if wrapper is not None]
        if any(map(keys.is_drawing, graphs)) and not seeds.is_own(_present_graph()):
            try:
                result, graphs = _traced_by_key(method, functions, original, args, kwargs)
            except Exception as error:  # noqa: BLE001  # a function that cannot be traced twice, perhaps
                last_line = str(error).strip().rpartition("\n")[2].strip()
                messages.warn(
                    f"Dataset.{method} does not draw by key, so its epochs repeat: its function "
                    f"could not be traced a second time: {type(error).__name__}: {last_line}"
                )
        _note_repeats(method, graphs)
        return result

    return give_keys


def _present_graph() -> Any:
    return sys.modules["tensorflow"].compat.v1.get_default_graph()


def _note_repeats(method: str, graphs: Sequence[Any]) -> None:
    """Tell the audit of ops that still draw from a state, which begins anew with each iterator."""
    observer = streams.state.repeat_observer
    if observer is not None and any(
        ops.any_within(graph.get_operations(), ops.draws) for graph in graphs
    ):
        observer(f"Dataset.{method}")


def _reduce(original: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Give keys to a reduction that draws in a graph, where each call would draw the same."""
    tensorflow = sys.modules["tensorflow"]
    if tensorflow.executing_eagerly() or seeds.is_own(_present_graph()):
        return original(*args, **kwargs)
    trial = sys.modules["tensorflow.python.framework.func_graph"].FuncGraph("reduce")
    with trial.as_default():
        original(*args, **kwargs)
    if not keys.is_drawing(trial):
        return original(*args, **kwargs)
    return _traced_by_key("reduce", REDUCE, original, args, kwargs)[0]


def on_dataset_ops(module: ModuleType) -> None:
    """Give keys to what draws in the functions of all datasets."""
    for method in METHODS:
        patch.around(module, f"DatasetV2.{method}")(_drawing_by_key(method))
    patch.around(module, "DatasetV1.map")(_drawing_by_key("map"))
    patch.around(module, "DatasetV2.reduce")(_reduce)
