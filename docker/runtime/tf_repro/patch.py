"""The one way in which a function of a library is patched.

    @patch.around(module, "Pool.apply_async")
    def apply_async(original, self, func, *args, **kwargs): ...

The new function keeps the name, the text and the signature of the original, is put around it once
and not twice, and is put wherever else in the library the original is bound already. A release
that lacks the name costs one line on stderr, and everything else goes on.
"""

import functools
import sys
from types import ModuleType

TYPE_CHECKING = False  # typing would cost whoever imports `random` seven milliseconds
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Wrapped = Callable[..., Any]

# On a wrapper: the function of ours that it calls.
_MARK = "_tf_repro_calls"
_NOTHING = object()


def around(owner: "Any", name: str) -> "Callable[[Wrapped], Wrapped]":
    """Return a decorator: the function is called in the place of `name`, with the original first.

    Args:
        owner: a module, or a class.
        name: of a function, a method, a class method or a static method; with dots for what lies
            deeper, as in "Pool.apply_async".

    Returns:
        the decorator, which gives the function back as it is. It is called with the original, and
        then with whatever the original would have been called with, `self` or `cls` included; the
        original takes the same.
    """

    def put_around(function: "Wrapped") -> "Wrapped":
        holder, last, old = _find(owner, name)
        if old is _NOTHING:
            _say_missing(owner, name)
        elif not _is_around(function, old):
            _bind(holder, last, old, _wrapper(function, old))
        return function

    return put_around


def put(owner: "Any", name: str, new: object) -> None:
    """Put a value, or a class, in the place of `name`; the arguments are those of `around`."""
    holder, last, old = _find(owner, name)
    if old is _NOTHING:
        _say_missing(owner, name)
    else:
        _bind(holder, last, old, new)


def has(owner: "Any", name: str) -> bool:
    """Return whether there is such a name, for those that only some releases have."""
    return _find(owner, name)[2] is not _NOTHING


def _find(owner: "Any", name: str) -> "tuple[Any, str, Any]":
    """Return what holds the last part of `name`, that part, and what is bound to it, unchanged."""
    *path, last = name.split(".")
    for part in path:
        owner = getattr(owner, part, _NOTHING)
    for one in getattr(owner, "__mro__", ()):
        if last in vars(one):
            return owner, last, vars(one)[last]  # getattr would bind a class method to its class
    return owner, last, getattr(owner, last, _NOTHING)


def _wrapper(function: "Wrapped", old: "Any") -> "Any":
    method = type(old) if isinstance(old, classmethod | staticmethod) else None
    original = old.__func__ if method else old

    @functools.wraps(original)
    def wrapper(*args: "Any", **kwargs: "Any") -> "Any":
        return function(original, *args, **kwargs)

    setattr(wrapper, _MARK, function)
    return method(wrapper) if method else wrapper


def _is_around(function: "Wrapped", old: "Any") -> bool:
    """Return whether `function`, or another one of the same line of ours, is around it already."""
    while old is not None:
        old = getattr(old, "__func__", old)
        known = getattr(old, _MARK, None)
        if known is not None and known.__code__ is function.__code__:
            return True
        old = getattr(old, "__wrapped__", None)
    return False


def _bind(holder: "Any", name: str, old: object, new: object) -> None:
    """Bind `name` to `new`, and wherever else in the library the old one is bound already.

    Usually nobody has copied it yet, because hooks run right after the module itself. They have
    where the library was imported before us.
    """
    setattr(holder, name, new)
    if not isinstance(holder, ModuleType):
        return
    library = holder.__name__.partition(".")[0]
    if library not in sys.modules or not _imported(library):
        return
    for other_name, other in list(sys.modules.items()):
        if other_name.partition(".")[0] != library or not isinstance(other, ModuleType):
            continue
        for key, value in list(vars(other).items()):
            if value is old:
                setattr(other, key, new)


def _imported(library: str) -> bool:
    """Return whether `library` has been executed to its end."""
    return not getattr(sys.modules[library].__spec__, "_initializing", False)


def _say_missing(owner: "Any", name: str) -> None:
    # Only for a release that we do not know.
    from tf_repro import messages, private_names  # noqa: PLC0415  # hence not at every start

    module = owner.__name__ if isinstance(owner, ModuleType) else owner.__module__
    path = name if isinstance(owner, ModuleType) else f"{owner.__qualname__}.{name}"
    messages.warn(
        f"{messages.release(module)} has no {module}.{path}: "
        f"{private_names.what(module, path)} not covered"
    )
