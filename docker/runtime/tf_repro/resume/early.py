"""What happens when `random`, NumPy and torch are imported, which few programs do that train.

Nothing else is imported for it, and nothing is followed before TensorFlow is there.
"""

import sys

from tf_repro import patch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any


def _may_train() -> bool:
    return "tensorflow" in sys.modules


def _on_random(module: "ModuleType") -> None:
    @patch.around(module, "Random.__init__")
    def init(original: "Callable[..., None]", self: "Any", *args: "Any", **kwargs: "Any") -> None:
        original(self, *args, **kwargs)
        if _may_train() and not isinstance(self, module.SystemRandom):
            from tf_repro.resume import objects  # noqa: PLC0415  # for those who train

            objects.on_new_random(self, sys._getframe(2).f_code.co_filename)


def _on_numpy_random(module: "ModuleType") -> None:
    if not patch.has(module, "default_rng"):
        return

    @patch.around(module, "default_rng")
    def default_rng(original: "Callable[..., Any]", *args: "Any", **kwargs: "Any") -> "Any":
        generator = original(*args, **kwargs)
        if _may_train() and (not args or generator is not args[0]):
            from tf_repro.resume import objects  # noqa: PLC0415  # as above

            objects.on_new_numpy(generator)
        return generator


def _on_torch(module: "ModuleType") -> None:
    class Generator(module.Generator):  # type: ignore[name-defined,misc]  # torch is not here
        __doc__ = module.Generator.__doc__

        def __init__(self, *_: "Any", **__: "Any") -> None:
            if _may_train():
                from tf_repro.resume import objects  # noqa: PLC0415  # as above

                objects.on_new_torch(self)

    Generator.__qualname__, Generator.__module__ = "Generator", "torch"
    patch.put(module, "Generator", Generator)


ON_IMPORT: "dict[str, Callable[[ModuleType], None]]" = {
    "random": _on_random,
    "numpy.random": _on_numpy_random,
    "torch": _on_torch,
}
