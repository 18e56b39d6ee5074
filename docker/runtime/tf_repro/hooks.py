"""Run a function at the moment a module has been imported, without importing it ourselves.

A finder at the head of sys.meta_path asks the other finders for the module's spec and shadows
exec_module on that one loader *instance*. The loader keeps its type, so that pkgutil, inspect,
importlib.resources and LazyLoader see what they always see. A hook stays armed until its module
has really been executed (find_spec alone fires nothing), then it is gone: a reload runs as if
we were not here.
"""

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from importlib.abc import Loader
    from importlib.machinery import ModuleSpec
    from importlib.metadata import Distribution, DistributionFinder
    from types import ModuleType

    Hook = Callable[[ModuleType], None]

_armed: "dict[str, tuple[Hook, Hook | None]]" = {}
# Called with what happens to a hook, and the name of its module; set under TF_REPRO_DEBUG=1.
observer: "Callable[[str, str], None] | None" = None


class _Finder:
    """Finds nothing itself; marks the specs of armed modules that the other finders find."""

    def find_spec(
        self, name: str, path: "Sequence[str] | None" = None, target: "ModuleType | None" = None
    ) -> "ModuleSpec | None":
        if name not in _armed:
            return None
        for finder in sys.meta_path:
            find = None if finder is self else getattr(finder, "find_spec", None)
            spec = find(name, path, target) if find else None
            if spec is not None:
                if spec.loader is not None:
                    _shadow_exec_module(spec.loader, name)
                return spec  # type: ignore[no-any-return]  # meta_path is a list of anything
        return None

    def find_distributions(self, context: "DistributionFinder.Context") -> "Iterable[Distribution]":
        """Have importlib.metadata find our entry points, whenever it is that it is imported."""
        from tf_repro import entry_points  # noqa: PLC0415  # for who looks for plugins

        return entry_points.found(context)


_finder = _Finder()


def on_import(name: str, after: "Hook", before: "Hook | None" = None) -> None:
    """Call `after` with the module once, right after the module `name` has been executed.

    `before` is called right before, with the empty module. If it is imported already, `after`
    runs now, and `before` not at all. A second `after` for one name runs after the first.
    """
    if observer is not None:
        observer("arms", name)
        after, before = _told("fires", after), before and _told("fires before", before)
    module = sys.modules.get(name)
    if module is not None and not getattr(module.__spec__, "_initializing", False):
        after(module)
        return
    if name in _armed:
        first, first_before = _armed[name]
        _armed[name] = _both(first, after), first_before or before
    else:
        _armed[name] = after, before
    be_asked()


def be_asked() -> None:
    """Have the import system ask our finder, if it does not already."""
    if _finder not in sys.meta_path:
        sys.meta_path.insert(0, _finder)


def _told(what: str, hook: "Hook") -> "Hook":
    def told(module: "ModuleType") -> None:
        if observer is not None:
            observer(what, module.__name__)
        hook(module)

    return told


def failed(module: "ModuleType", error: Exception) -> None:
    """Tell the observer, if there is one, that the hook of `module` has failed."""
    if observer is not None:
        observer(f"fails by {type(error).__name__}: {error}", module.__name__)


def _both(first: "Hook", second: "Hook") -> "Hook":
    def hook(module: "ModuleType") -> None:
        first(module)
        second(module)

    return hook


def _shadow_exec_module(loader: "Loader", name: str) -> None:
    original = getattr(loader, "exec_module", None)
    if original is None or isinstance(loader, type):
        return  # frozen and built-in modules: no instance to shadow it on, and none is watched

    def exec_module(module: "ModuleType") -> None:
        # One zipimporter serves many modules, hence the comparison.
        _, before = _armed.get(name, (None, None)) if module.__name__ == name else (None, None)
        if before is not None:
            before(module)
        original(module)
        if module.__name__ == name:
            loader.__dict__.pop("exec_module", None)
            fire(module)

    try:
        loader.exec_module = exec_module  # type: ignore[method-assign]  # on the instance only
    except AttributeError:
        return  # a loader with slots


def fire(module: "ModuleType") -> None:
    """Run and forget the hook of `module`, if it has one."""
    after, _ = _armed.pop(module.__name__, (None, None))
    if after is not None:
        after(module)
