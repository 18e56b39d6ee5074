"""Random ops of functions: their states are kept where they can be read and written.

A legacy random op counts what it has drawn inside its kernel, which nobody can read. Where the
script saves checkpoints, such an op becomes one whose counter is in a variable. It draws the same
numbers: both are Philox, with the op's two seeds as key and upper counter, and 256 steps of the
counter for each number that is asked for.
https://github.com/tensorflow/tensorflow/blob/v2.15.1/tensorflow/core/util/guarded_philox_random.cc
https://github.com/tensorflow/tensorflow/blob/v2.15.1/tensorflow/core/kernels/random_op.cc
"""

import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any, NamedTuple

from tf_repro import patch
from tf_repro.draws import keys, seeds
from tf_repro.resume import traces

_PREFIX = "tf_repro/"  # of names of variables
_PHILOX = 1  # tf.random.Algorithm.PHILOX


class _Op(NamedTuple):
    """What draws the same numbers as a legacy op.

    Attributes:
        legacy: the op itself.
        stateful: the op that has its state in a variable, which must be beside it.
        stateless: the op that is given a state.
        takes: its arguments after the shape.
        made: its attribute for the type of the numbers.
    """

    legacy: str
    stateful: str
    stateless: str
    takes: tuple[str, ...] = ("dtype",)
    made: str = "dtype"


# By the function that makes the legacy op.
_OPS = {
    "random_uniform": _Op("RandomUniform", "StatefulUniform", "StatelessRandomUniformV2"),
    "random_uniform_int": _Op(
        *("RandomUniformInt", "StatefulUniformInt", "StatelessRandomUniformIntV2"),
        takes=("minval", "maxval"),
        made="Tout",
    ),
    "random_standard_normal": _Op(
        "RandomStandardNormal", "StatefulStandardNormalV2", "StatelessRandomNormalV2"
    ),
    "truncated_normal": _Op(
        "TruncatedNormal", "StatefulTruncatedNormal", "StatelessTruncatedNormalV2"
    ),
}
# By either of those that take its place.
LEGACY = {name: op for op in _OPS.values() for name in (op.stateful, op.stateless)}

# The methods of tf.function's class that trace, at the first call and at others.
_TRACING = ("_initialize", "_call")

# Whether the script has what saves checkpoints; until then, its functions are traced as ever.
_saving = False
# Name of an op -> its counters, of which the last has taken the place of those before.
_known: "dict[str, list[Counter]]" = {}
# The states of ops that the program had before it was interrupted, and which of them are here.
_to_come: dict[str, list[int]] = {}
_found: set[str] = set()
# Functions that were traced before anything was known to save, and draw.
_unseen = 0


class Counter:
    """What a random op of a function draws by, in a variable: its counter and its two seeds.

    Attributes:
        shared_name: of the variable, by which a function finds it: what a function captures, one
            that is exported would have to bring along.
        own: the state that the op was made with.
        began: the state that it began with, which another one may have left.
    """

    def __init__(self, shared_name: str, own: list[int], began: list[int]) -> None:
        self.shared_name, self.own = shared_name, own
        tensorflow = sys.modules["tensorflow"]
        with tensorflow.init_scope(), tensorflow.device("CPU:0"):
            self._variable = self.handle()
        self.begin(began)

    def handle(self) -> Any:
        """Return the variable, as the graph that is being traced finds it."""
        return sys.modules["tensorflow"].raw_ops.VarHandleOp(
            dtype="int64", shape=[3], shared_name=self.shared_name, container=""
        )

    def begin(self, state: list[int]) -> None:
        """Go on from a state."""
        self.began = state
        tensorflow = sys.modules["tensorflow"]
        with tensorflow.init_scope(), tensorflow.device("CPU:0"):
            value = tensorflow.constant(state, "int64")
            tensorflow.raw_ops.AssignVariableOp(resource=self._variable, value=value)

    def state(self) -> list[int]:
        """Return the present state."""
        tensorflow = sys.modules["tensorflow"]
        with tensorflow.init_scope():
            read = tensorflow.raw_ops.ReadVariableOp(resource=self._variable, dtype="int64")
        return [int(word) for word in read.numpy()]


def expect_saves() -> None:
    """Take down that the script will save checkpoints, so that functions are traced for it."""
    global _saving  # noqa: PLW0603  # once for each process
    _saving = True


def of_variable(shared_name: str) -> Counter | None:
    """Return what counts in a variable, if that is ours."""
    counters = _known.get(shared_name.removeprefix(_PREFIX).rpartition("@")[0], ())
    return next((one for one in counters if one.shared_name == shared_name), None)


def unseen() -> int:
    """Return how many ops draw from states that cannot be read."""
    return _unseen


def not_found_again() -> int:
    """Return how many ops of the interrupted program have not been traced again."""
    return len(_to_come.keys() - _found)


def _in_xla() -> bool:
    """Return whether what is traced will be compiled by XLA, which knows no named variables."""
    frame = sys._getframe(2)
    while frame is not None:
        held = frame.f_locals.get("self") if frame.f_code.co_name in _TRACING else None
        if getattr(held, "_jit_compile", None):
            return True
        frame = frame.f_back  # type: ignore[assignment]  # the outermost has none
    return False


def _is_followed(graph: Any) -> bool:
    global _unseen  # noqa: PLW0603  # as above
    tensorflow = sys.modules["tensorflow"]
    if tensorflow.executing_eagerly() or not getattr(graph, "building_function", False):
        return False
    if keys.is_keyed(graph) or _is_of_dataset(graph):
        return False
    with tensorflow.init_scope():
        if not tensorflow.executing_eagerly():
            return False  # a graph of TF 1 is around it
    if not _saving or _in_xla():
        _unseen += 1
        return False
    return True


def _is_of_dataset(graph: Any) -> bool:
    while graph is not None:
        if str(getattr(graph, "name", "")).startswith("Dataset_"):
            return True
        graph = getattr(graph, "outer_graph", None)
    return False


def _follow(kind: str, graph: Any, seed: int, seed2: int) -> Counter:
    """Return the counter of an op that is being traced, which goes on if it is known."""
    trace = traces.of(graph)
    kind += seeds.replica()
    name = f"{trace.name}:{kind}#{trace.number(kind)}"
    counters = _known.setdefault(name, [])
    own = [0, seed2, seed]
    # Of a function that is traced again before it has run, the later trace is the one that runs.
    goes_on = name in _to_come and all(one.state() == one.began for one in counters)
    _found.update([name] if goes_on else [])
    made = Counter(f"{_PREFIX}{name}@{len(counters)}", own, _to_come[name] if goes_on else own)
    counters.append(made)
    return made


def _on_cpu(op: _Op, counter: Counter, given: dict[str, Any]) -> Any:
    """Draw by one op that moves the counter on itself, and so where the counter is."""
    tensorflow = sys.modules["tensorflow"]
    with tensorflow.device("CPU:0"):
        draw = getattr(tensorflow.raw_ops, op.stateful)
        return draw(resource=counter.handle(), algorithm=_PHILOX, **given)


def _anywhere(op: _Op, counter: Counter, given: dict[str, Any]) -> Any:
    """Move the counter on, and draw by an op that a GPU has as well."""
    tensorflow = sys.modules["tensorflow"]
    raw = tensorflow.raw_ops
    with tensorflow.device("CPU:0"):
        size = tensorflow.cast(tensorflow.reduce_prod(given["shape"]), tensorflow.uint64)
        state = raw.RngReadAndSkip(resource=counter.handle(), alg=_PHILOX, delta=size)
        words = tensorflow.bitcast(state, tensorflow.uint64)
    return getattr(raw, op.stateless)(key=words[2:], counter=words[:2], alg=_PHILOX, **given)


def _op(name: str) -> Callable[..., Any]:
    def op(original: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        tensorflow = sys.modules.get("tensorflow")
        given_seeds = [kwargs.get("seed"), kwargs.get("seed2")]
        if tensorflow is None or not all(isinstance(each, int) for each in given_seeds):
            return original(*args, **kwargs)
        graph = tensorflow.compat.v1.get_default_graph()
        if not _is_followed(graph):
            return original(*args, **kwargs)
        takes = ("shape", *_OPS[name].takes)
        given = {**dict(zip(takes, args, strict=False)), **kwargs}
        with tensorflow.name_scope(kwargs.get("name") or name):
            given["shape"] = tensorflow.convert_to_tensor(given["shape"])
            counter = _follow(name, graph, *given_seeds)  # type: ignore[arg-type]
            draw = _anywhere if tensorflow.config.list_logical_devices("GPU") else _on_cpu
            return draw(_OPS[name], counter, {each: given[each] for each in takes})

    return op


def save() -> dict[str, list[int]]:
    """Return the states of all ops that have drawn: counter, upper counter and key."""
    state = {name: kept for name, kept in _to_come.items() if name not in _found}
    for name, counters in _known.items():
        states = (counter.state() for counter in reversed(counters))
        latest = next((each for each in states if each[0]), None)
        if latest is not None:
            state[name] = latest
    return state


def restore(state: dict[str, list[int]]) -> None:
    """Put the counters of all ops, here or to come, where they were."""
    _to_come.clear()
    _to_come.update(state)
    _found.clear()
    for name, counters in _known.items():
        _found.update([name] if name in state else [])
        for counter in counters:
            counter.begin(state.get(name, counter.own))


def _on_random_ops(module: ModuleType) -> None:
    for name in _OPS:
        patch.around(module, name)(_op(name))


ON_IMPORT: dict[str, Callable[[ModuleType], None]] = {
    "tensorflow.python.ops.gen_random_ops": _on_random_ops
}
