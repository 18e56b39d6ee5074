"""Which trace of which function a graph is, by a name that is the same when it is started again.

How often a function is traced follows from what is there at its first call: one that makes its
variables is traced twice, and one that finds them restored is traced once. So a trace has no number
of its own, and is named after its function and what the call was given.
"""

import hashlib
import re
import sys
import weakref
from collections.abc import Callable
from types import FrameType, ModuleType
from typing import Any

from tf_repro import patch
from tf_repro.draws import seeds

# The methods of tf.function's class that trace: at a call, and where nothing is called.
_TRACING = ("_call", "_get_concrete_function_garbage_collected")
# Bytes of the digest of what a call was given.
_DIGEST = 4


class Trace:
    """One trace of a function, a branch of it or the body of a loop.

    Attributes:
        name: the same for all traces that would take each other's place.
        function: of TensorFlow's class that is traced; None for whatever is within it, and where it
            is no more: it holds its graphs, which hold this.
    """

    def __init__(self, name: str, function: Any = None) -> None:
        self.name = name
        self._function = None if function is None else weakref.ref(function)
        self._numbers: dict[str, int] = {}
        self._functions: weakref.WeakKeyDictionary[Any, int] = weakref.WeakKeyDictionary()

    @property
    def function(self) -> Any:  # noqa: D102  # above
        return None if self._function is None else self._function()

    def number(self, kind: str) -> int:
        """Return how many of a kind this trace has had before."""
        number = self._numbers.get(kind, 0)
        self._numbers[kind] = number + 1
        return number

    def of_function(self, function: Any, kind: str) -> int:
        """Return the number of a function among those of its kind that this trace calls."""
        if function not in self._functions:
            self._functions[function] = self.number(kind)
        return self._functions[function]


_outermost = Trace("")
_traces: "weakref.WeakKeyDictionary[Any, Trace]" = weakref.WeakKeyDictionary()


def of(graph: Any) -> Trace:
    """Return the trace that a graph is."""
    found = _traces.get(graph)
    return _follow(graph, None) if found is None else found


def _follow(graph: Any, tracing: "tuple[Any, Any] | None") -> Trace:
    """Name a graph.

    Args:
        graph: of a function.
        tracing: the innermost function that is being traced, and what it was given, if known.
    """
    outer = seeds.within(graph)
    above = _outermost if outer is None else of(outer)
    if tracing is None or tracing[0] is _function_around(outer):
        kind = re.sub(r"_\d+$", "", getattr(graph, "name", "graph"))
        made = Trace(f"{above.name}/{kind}#{above.number(kind)}")
    else:
        function, given = tracing
        kind = _kind(function)
        number = above.of_function(function, kind)
        made = Trace(f"{above.name}/{kind}#{number}({_signature(given)})", function)
    _traces[graph] = made
    return made


def _function_around(graph: Any) -> Any:
    while graph is not None:
        if graph in _traces and _traces[graph].function is not None:
            return _traces[graph].function
        graph = seeds.within(graph)
    return None


def _kind(function: Any) -> str:
    code = getattr(getattr(function, "python_function", None), "__code__", None)
    return f"{code.co_qualname}:{code.co_firstlineno}" if code else type(function).__name__


def _signature(given: Any) -> str:
    """Return a digest of what a function was given: types and shapes, and plain values."""
    leaves = sys.modules["tensorflow"].nest.flatten(given)
    text = ";".join(map(_described, leaves))
    return hashlib.blake2b(text.encode(), digest_size=_DIGEST).hexdigest()


def _described(leaf: Any) -> str:
    if leaf is None or isinstance(leaf, bool | int | float | str):
        return repr(leaf)
    if hasattr(leaf, "element_spec"):
        return str(leaf.element_spec)
    if hasattr(leaf, "dtype") and hasattr(leaf, "shape"):
        return f"{leaf.dtype}{leaf.shape}"
    return type(leaf).__name__


def _tracing(frame: "FrameType | None") -> "tuple[Any, Any] | None":
    """Return the innermost function that is being traced, and what it was given."""
    while frame is not None:
        if frame.f_code.co_name in _TRACING:
            names = frame.f_locals
            function = names.get("self")
            if hasattr(function, "python_function"):
                return function, (names.get("args"), names.get("kwds", names.get("kwargs")))
        frame = frame.f_back
    return None


def _on_func_graph(module: ModuleType) -> None:
    @patch.around(module, "FuncGraph.__init__")
    def init(original: Callable[..., None], self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        _follow(self, _tracing(sys._getframe(1)))


ON_IMPORT: dict[str, Callable[[ModuleType], None]] = {
    "tensorflow.python.framework.func_graph": _on_func_graph
}
