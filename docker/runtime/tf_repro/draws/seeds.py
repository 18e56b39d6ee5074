"""TensorFlow's seeds of ops: a stream for every op that has none, and the user's own untouched.

TensorFlow takes an op's place in its graph for its seed, where the op has none. With one seed for
all graphs, ops at the same place of two functions, branches or layers would then draw the same
numbers. Here the seed comes from a stream that is named after the graphs around the op instead.
"""

import re
import sys
import weakref
from _thread import _local
from collections.abc import Callable
from types import FunctionType, ModuleType
from typing import Any

from tf_repro import patch, streams

KIND = "tensorflow.op"
# What a script seeds with tf.random.set_seed when it runs eagerly, and in a graph of TF 1.
EAGER, IN_GRAPH = "tensorflow", "tensorflow.graph"
# Seeds of ops are C ints.
SEED_BITS = 31


class StreamSeed(int):
    """The seed of an op that the user has given none; see keys.py."""


# Graph -> what counts the draws in it, and the graphs within it.
_places: "weakref.WeakKeyDictionary[Any, streams.Scope]" = weakref.WeakKeyDictionary()
# Function that was traced -> its number among those of its name, and a counter of its traces.
_functions: "weakref.WeakKeyDictionary[Any, streams.Scope]" = weakref.WeakKeyDictionary()
# Graph -> the function that is traced in it.
_traced: "weakref.WeakKeyDictionary[Any, weakref.ref[Any]]" = weakref.WeakKeyDictionary()
# Graphs that the script has seeded itself.
_own: "weakref.WeakSet[Any]" = weakref.WeakSet()


def within(graph: Any) -> Any:
    """Return the graph of the function in which that of a function is traced, or None."""
    outer = getattr(graph, "outer_graph", None)
    return outer if outer is not None and outer.building_function else None


def place(graph: Any) -> streams.Scope:
    """Return the place of `graph`: named after it and the how-manieth that draws it is."""
    found = _places.get(graph)
    if found is None:
        outer = within(graph)
        above = streams.scope() if outer is None else place(outer)
        # TensorFlow numbers the names of branches and bodies of loops through a whole graph.
        kind = re.sub(r"_\d+$", "", getattr(graph, "name", "graph"))
        found = _places[graph] = streams.Scope(f"{above.path}/{kind}{_number(graph, kind, above)}")
    return found


def _number(graph: Any, kind: str, above: streams.Scope) -> str:
    """Return which function of its name a graph is traced from, and which trace of it this is.

    A function that is traced again moves no other of the same name.
    """
    function = _traced.get(graph, lambda: None)()
    if function is None:
        return f"#{above.number(f'{KIND}/{kind}')}"
    traces = _functions.get(function)
    if traces is None:
        number = above.number(f"{KIND}/{kind}")
        traces = _functions[function] = streams.Scope(f"#{number}")
    return f"{traces.path}.{traces.number('trace')}"


def is_own_everywhere() -> bool:
    """Return whether the script has seeded all ops that it runs eagerly, or traces from there."""
    return EAGER in streams.state.own_seeds


def is_own(graph: Any) -> bool:
    """Return whether the script has seeded the ops of `graph` as a whole."""
    while graph not in _own:
        outer = getattr(graph, "outer_graph", None)
        if outer is None:
            break
        graph = outer
    else:
        return True
    if sys.modules["tensorflow.python.framework.ops"].executing_eagerly_outside_functions():
        return is_own_everywhere()
    return graph.seed is not None  # a graph of TF 1, which set_seed alone gives one


def replica() -> str:
    """Return the part of a name that tells one replica of a distribution strategy from another."""
    # None while TensorFlow itself is being imported.
    distribute = getattr(sys.modules["tensorflow"], "distribute", None)
    context = distribute.get_replica_context() if distribute else None
    number = getattr(context, "_replica_id_in_sync_group", 0)
    return f"/replica{number}" if isinstance(number, int) and number else ""


def stream_seed(graph: Any) -> StreamSeed:
    """Return the seed of the next op, or generator, without one that draws in `graph`."""
    here = place(graph)
    name = f"{here.path}{replica()}"
    number = here.number(name)
    return StreamSeed(streams.named(KIND, f"{name}:{KIND}#{number}", SEED_BITS) or 1)


def on_random_seed(module: ModuleType) -> None:
    """Give every op that has no seed a stream, and every other what TensorFlow would."""
    largest = module._MAXINT32

    @patch.around(module, "get_seed")
    def get_seed(original: Callable[..., Any], op_seed: Any) -> Any:
        graph = module.ops.get_default_graph()
        eager = module.context.executing_eagerly()
        if is_own_everywhere() if eager else is_own(graph):
            return original(op_seed)
        if type(op_seed) is StreamSeed:
            return module.context.global_seed() % largest, op_seed
        if op_seed is not None:
            # What TensorFlow answers where there is no seed for all ops.
            return module.DEFAULT_GRAPH_SEED, op_seed % largest
        if eager:
            return original(None)
        return module.context.global_seed() % largest, stream_seed(graph)

    for name in ("set_seed", "set_random_seed"):

        @patch.around(module, name)
        def set_seed(original: Callable[..., None], seed: object) -> None:
            original(seed)
            eager = module.context.executing_eagerly()
            streams.note_own_seed(EAGER if eager else IN_GRAPH, seed)
            if not eager:
                _own.add(module.ops.get_default_graph())


def on_func_graph(module: ModuleType) -> None:
    """Note which function a graph is traced from."""
    # A thread traces one function at a time, and those that it calls within.
    tracing = _local()

    @patch.around(module, "func_graph_from_py_func")
    def func_graph_from_py_func(
        original: Callable[..., Any], name: Any, python_func: Any, *args: Any, **kwargs: Any
    ) -> Any:
        before = getattr(tracing, "function", None)
        # Whoever brings a graph along has named it: a branch, or the body of a loop.
        tracing.function = None if kwargs.get("func_graph") else python_func
        try:
            return original(name, python_func, *args, **kwargs)
        finally:
            tracing.function = before

    @patch.around(module, "FuncGraph.__init__")
    def init(original: Callable[..., None], self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        function = getattr(tracing, "function", None)
        tracing.function = None
        if isinstance(function, FunctionType):
            _traced[self] = weakref.ref(function)
