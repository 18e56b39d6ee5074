"""Copies of Python functions that draw from generators of the element that they make.

In a copy, other objects stand for `random`, `np.random` and what is taken from them. They draw from
generators that begin at the key of the element, whatever thread makes it, and leave the global
ones to the rest of the program.
"""

import sys
from _thread import get_ident
from collections.abc import Callable
from types import CellType, FunctionType, ModuleType
from typing import Any

from tf_repro.draws import purity


class _Generators:
    """The generators that one thread draws from while it makes an element.

    Attributes:
        seed: int64 [2], of the element.
        begun: library -> its generator, which has begun at the seed.
    """

    __slots__ = ("_made", "begun", "seed")

    def __init__(self) -> None:
        self._made: dict[str, Any] = {}
        self.begun: dict[str, Any] = {}
        self.seed: Any = None

    def of(self, library: str) -> Any:
        """Return the generator of a library, which begins at the seed at its first use."""
        found = self.begun.get(library)
        if found is None:
            begin = self._numpy if library == "numpy" else self._python
            found = self.begun[library] = begin()
        return found

    def _numpy(self) -> Any:
        if "numpy" not in self._made:
            random = sys.modules["numpy"].random
            generator = random.RandomState(random.Philox(0))
            self._made["numpy"] = generator, generator.get_state(legacy=False)
        generator, beginning = self._made["numpy"]
        beginning["state"]["key"] = self.seed.view("uint64")
        generator.set_state(beginning)
        return generator

    def _python(self) -> Any:
        random = sys.modules["random"]
        number = int.from_bytes(self.seed.tobytes(), "little")
        if "random" not in self._made:
            self._made["random"] = random.Random(number)
        random.Random.seed(self._made["random"], number)
        return self._made["random"]


# Those that no thread draws from. To make one takes longer than most functions do, and a thread of
# TensorFlow's forgets what is its own after each call.
_idle: list[_Generators] = []
# Thread -> those that it draws from.
_busy: dict[int, _Generators] = {}


# Of functions of numpy.random, which RandomState does not have by these.
_OTHER_NAMES = {"ranf": "random_sample", "sample": "random_sample"}


class _Drawing:
    """Stands for `random` or `np.random` in a copy of a function."""

    def __init__(self, library: str) -> None:
        self._library = library

    def __getattr__(self, name: str) -> Any:
        if self._library == "numpy":
            if name == "default_rng":
                return self._default_rng
            name = _OTHER_NAMES.get(name, name)
        return getattr(_busy[get_ident()].of(self._library), name)

    def _default_rng(self, seed: Any = None) -> Any:
        random = sys.modules["numpy"].random
        if seed is None:
            seed = [int(word) for word in _busy[get_ident()].of("numpy").randint(0, 2**31, 4)]
        return random.default_rng(seed)


class _NumPy:
    """Stands for `np` in a copy of a function."""

    random = _Drawing("numpy")

    def __getattr__(self, name: str) -> Any:
        return getattr(sys.modules["numpy"], name)


def _method(library: str, name: str) -> Callable[..., Any]:
    def method(*args: Any, **kwargs: Any) -> Any:
        return getattr(_busy[get_ident()].of(library), name)(*args, **kwargs)

    return method


_STANDING_FOR = {"random": _Drawing("random"), "numpy.random": _NumPy.random, "numpy": _NumPy()}


class _Names(dict[str, Any]):
    """The names of a function's module, with others in the place of what draws."""

    def __init__(self, names: dict[str, Any], copies: dict[int, FunctionType]) -> None:
        # The interpreter looks these up without asking for items.
        super().__init__(__builtins__=names.get("__builtins__", __builtins__))
        self._names, self._copies = names, copies

    def __getitem__(self, name: str) -> Any:
        return _stand_in(self._names[name], self._copies)


def _is_own_function(value: Any) -> bool:
    return isinstance(value, FunctionType) and not (value.__module__ or "").startswith("numpy")


def _stand_in(value: Any, copies: dict[int, FunctionType]) -> Any:
    """Return what takes the place of a value in a copy of a function: mostly the value itself."""
    if isinstance(value, ModuleType):
        return _STANDING_FOR.get(value.__name__, value)
    if _is_own_function(value):
        return _copy(value, copies)
    library = purity.library_of(getattr(value, "__self__", None))
    return value if library is None else _method(library, value.__name__)


def _is_replaced(value: Any) -> bool:
    return _is_own_function(value) or _stand_in(value, {}) is not value


def _copy(function: FunctionType, copies: dict[int, FunctionType]) -> FunctionType:
    """Return a copy of a function that draws from the generators of the element."""
    if id(function) not in copies:
        names = _Names(function.__globals__, copies)
        closure = function.__closure__ or ()
        # A cell that needs no other content is shared, as the function around it may change it.
        cells = tuple(CellType() if _is_replaced(cell.cell_contents) else cell for cell in closure)
        copied = FunctionType(
            function.__code__, names, function.__name__, function.__defaults__, cells
        )
        copied.__kwdefaults__ = function.__kwdefaults__
        copies[id(function)] = copied  # before its cells, which may hold the function itself
        for cell, original in zip(cells, closure, strict=True):
            if cell is not original:
                cell.cell_contents = _stand_in(original.cell_contents, copies)
    return copies[id(function)]


def drawing_by_key(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return what takes a seed, int64 [2], and then the arguments of a pure function.

    Args:
        function: one that purity.Examined takes, so made by `def` or `lambda`.
    """
    assert isinstance(function, FunctionType)
    copied = _copy(function, {})

    def by_key(seed: Any, *args: Any) -> Any:
        try:
            generators = _idle.pop()
        except IndexError:
            generators = _Generators()
        generators.seed, generators.begun = seed, {}
        thread = get_ident()
        before, _busy[thread] = _busy.get(thread), generators
        try:
            return copied(*args)
        finally:
            if before is None:
                del _busy[thread]
            else:
                _busy[thread] = before
            _idle.append(generators)

    return by_key
