"""Put a function of ours in the place of a library's."""

import sys
from types import ModuleType


def replace(module: ModuleType, name: str, new: object) -> None:
    """Bind `name` in `module` to `new`, and wherever else in the library it is bound already.

    Usually nobody has copied it yet, because hooks run right after the module itself. They have
    where the library was imported before us.
    """
    old = getattr(module, name)
    setattr(module, name, new)
    library = module.__name__.partition(".")[0]
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
