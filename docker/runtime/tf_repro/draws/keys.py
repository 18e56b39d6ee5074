"""Draws by key: in a function of tf.data, what draws becomes a function of its element.

A map whose function draws from a state repeats its numbers in every epoch, as the state begins
anew with each iterator, and determinism takes all parallelism from it, as its elements would race.
Here such a function gets a key with each element, and its random ops become stateless ones of the
key, the op's stream and the iterations of the loops around it. It is then pure, and TensorFlow
leaves it parallel.
"""

import sys
import weakref
from collections.abc import Iterator
from typing import Any

from tf_repro.draws import seeds

# Odd numbers of 64 bits, by which the iterations of nested loops are spread over the counters.
# https://en.wikipedia.org/wiki/Hash_function#Fibonacci_hashing
_SPREAD = (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB)
_PHILOX = 1  # tf.random.Algorithm.PHILOX


class Key:
    """What the draws of one call of a function follow from.

    Attributes:
        seed: int64 [2].
        words: the same for Philox, uint64 [1].
    """

    __slots__ = ("seed", "words")

    def __init__(self, seed: Any) -> None:
        raw_ops = sys.modules["tensorflow"].raw_ops
        self.seed = seed
        self.words = raw_ops.StatelessRandomGetKeyCounter(seed=seed).key


# Attribute of the graph of a function: the key that it is called with. A table of graphs would keep
# each of them for ever, as the key is made of its tensors.
_KEY = "_tf_repro_key"
# Graphs in which something has drawn by a key, or would if there were one.
_drawing: "weakref.WeakSet[Any]" = weakref.WeakSet()


def _around(graph: Any) -> Iterator[Any]:
    while graph is not None:
        yield graph
        graph = getattr(graph, "outer_graph", None)


def depth(graph: Any) -> int:
    """Return how many functions with keys are around `graph`."""
    return sum(hasattr(each, _KEY) for each in _around(graph))


def is_keyed(graph: Any) -> bool:
    """Return whether what draws in `graph` has a key to draw by."""
    return depth(graph) > 0


def note_draw(graph: Any) -> None:
    """Take down that something draws in `graph`, by a key or from a state."""
    _drawing.update(_around(graph))


def is_drawing(graph: Any) -> bool:
    """Return whether note_draw has been called for `graph` or for one within it."""
    return graph in _drawing


def spread(number: int) -> int:
    """Return the odd number that spreads counts over 64 bits, another for each `number`."""
    return _signed(_SPREAD[number % len(_SPREAD)] * (2 * (number // len(_SPREAD)) + 1))


def _signed(number: int) -> int:
    return (number + 2**63) % 2**64 - 2**63


def _find(graph: Any) -> "tuple[Key, Any]":
    """Return the key around `graph`, and an int64 that tells apart the iterations of loops."""
    tensorflow = sys.modules["tensorflow"]
    offset, loops = None, 0
    for each in _around(graph):
        key: Key | None = getattr(each, _KEY, None)
        if key is not None:
            return key, offset
        if type(each).__name__ in ("WhileBodyFuncGraph", "WhileCondFuncGraph"):
            # while_v2 gives both the number of the iteration first.
            iteration = tensorflow.cast(each.inputs[0], tensorflow.int64) + 1
            offset = iteration * spread(loops) + (0 if offset is None else offset)
            loops += 1
    raise LookupError("there is no key around this graph")


def give(graph: Any, seed: Any) -> None:
    """Have what draws in the function of `graph` draw by a key.

    Args:
        graph: of the function; the present one.
        seed: int64 [2], another for each element.
    """
    if is_keyed(graph):
        outer, offset = _find(graph)
        bitwise = sys.modules["tensorflow"].bitwise
        seed = bitwise.bitwise_xor(seed, outer.seed)
        if offset is not None:
            seed += offset
    setattr(graph, _KEY, Key(seed))


class Draw:
    """What one op draws by: a key, and the upper half of the counter that Philox begins at."""

    __slots__ = ("_number", "_offset", "_words")

    def __init__(self, graph: Any, number: int) -> None:
        note_draw(graph)
        key, self._offset = _find(graph)
        self._words, self._number = key.words, number

    def _counter(self, kind: Any) -> Any:
        """Return the counter as two words of a type, signed or not."""
        tensorflow = sys.modules["tensorflow"]
        if self._offset is None:  # a constant costs nothing at each element
            return tensorflow.constant([0, self._number], kind)
        return tensorflow.bitcast(tensorflow.stack([0, self._offset + self._number]), kind)

    def philox(self) -> dict[str, Any]:
        """Return what an op of Philox draws by."""
        counter = self._counter(sys.modules["tensorflow"].uint64)
        return {"key": self._words, "counter": counter, "alg": _PHILOX}

    def seed(self) -> Any:
        """Return the seed of a stateless op, int64 [2]."""
        tensorflow = sys.modules["tensorflow"]
        words = tensorflow.bitcast(self._words, tensorflow.int64)
        return tensorflow.concat([words, self._counter(tensorflow.int64)[1:]], 0)

    def state(self) -> Any:
        """Return the state of a generator, int64 [3]."""
        tensorflow = sys.modules["tensorflow"]
        words = tensorflow.bitcast(self._words, tensorflow.int64)
        return tensorflow.concat([self._counter(tensorflow.int64), words], 0)


def draw_here() -> "Draw | None":
    """Return what draws next in the present graph, by its key; None where there is no key."""
    graph = sys.modules["tensorflow"].compat.v1.get_default_graph()
    if not is_keyed(graph):
        return None
    return Draw(graph, seeds.stream_seed(graph))
