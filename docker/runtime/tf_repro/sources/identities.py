"""What libraries draw to name things: truly random again, and off the script's streams.

A module of the table IDENTITIES imports another `random` than everybody else: its functions, and
what its Random() makes, draw from the system until somebody gives them a seed. It is handed out by
an __import__ of the module's own, which CPython looks up in the module's __builtins__, so it is
there from the first line on and in imports within functions, too.
https://docs.python.org/3/reference/executionmodel.html#builtins-and-restricted-execution
"""

import builtins
import sys
from types import ModuleType

from tf_repro import sources

TYPE_CHECKING = False  # typing would cost whoever imports `uuid` milliseconds
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

_made: list[ModuleType] = []


def _stand_in() -> ModuleType:
    """Return a `random` that draws from the system; one for the whole process."""
    if not _made:
        _made.append(_make())
    return _made[0]


def _make() -> ModuleType:
    import random  # noqa: PLC0415  # who imports `uuid` should not pay for it

    system = random.SystemRandom()

    class Random(random.Random):
        """Draws from the system until it is given a seed, and then what anybody draws from that."""

        def seed(self, a: "Any" = None, version: int = 2) -> None:
            self.has_seed = a is not None
            if self.has_seed:
                super().seed(a, version)

        def random(self) -> float:
            return super().random() if self.has_seed else system.random()

        def getrandbits(self, k: int, /) -> int:
            return super().getrandbits(k) if self.has_seed else system.getrandbits(k)

    Random.__module__, Random.__qualname__ = random.__name__, "Random"
    module = ModuleType(random.__name__, random.__doc__)
    vars(module).update(vars(random))
    drawing = Random()
    for name in vars(random):
        if callable(getattr(Random, name, None)):
            setattr(module, name, getattr(drawing, name))
    vars(module)["Random"] = Random
    return module


class _Builtins(dict):  # type: ignore[type-arg]  # see TYPE_CHECKING
    """The builtins as they are at any time, but for __import__."""

    def __missing__(self, name: str) -> "Any":
        return vars(builtins)[name]


def _import(
    name: str,
    globals: "Mapping[str, object] | None" = None,  # noqa: A002  # as Python calls it
    locals: "Mapping[str, object] | None" = None,  # noqa: A002  # as above
    fromlist: "Sequence[str]" = (),
    level: int = 0,
) -> ModuleType:
    if name == "random" and level == 0:
        return _stand_in()
    return builtins.__import__(name, globals, locals, fromlist, level)


def _before(module: ModuleType) -> None:
    vars(module)["__builtins__"] = _Builtins(__import__=_import)


def _after(module: ModuleType) -> None:
    """Do as much as can be done with a module that was imported before us."""
    theirs = sys.modules.get("random")
    if theirs is None or isinstance(vars(module).get("__builtins__"), _Builtins):
        return
    from tf_repro import patch  # noqa: PLC0415  # hence not in the image

    for name, value in list(vars(module).items()):
        if value is theirs:
            patch.put(module, name, _stand_in())
        elif value is theirs.Random or getattr(value, "__self__", None) is theirs._inst:
            patch.put(module, name, getattr(_stand_in(), value.__name__))


BEFORE_IMPORT: "dict[str, Callable[[ModuleType], None]]" = dict.fromkeys(
    sources.IDENTITIES, _before
)
ON_IMPORT: "dict[str, Callable[[ModuleType], None]]" = dict.fromkeys(sources.IDENTITIES, _after)
