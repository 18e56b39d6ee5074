"""Keras' layers in functions of tf.data: those without a seed draw by the element's key.

Their generators keep a state, for which the elements of a map would race; see keys.py.
"""

import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

from tf_repro import patch
from tf_repro.draws import generators, keys


def on_keras_2(module: ModuleType) -> None:
    """Take down which generators of layers nobody has seeded; the module is keras.backend."""
    if not patch.has(module, "RandomGenerator"):
        return  # Keras 3 has a package of this name

    @patch.around(module, "RandomGenerator._maybe_init")
    def maybe_init(original: Callable[..., None], self: Any) -> None:
        built = self._built
        original(self)
        chosen = self._seed is not None or getattr(module._SEED_GENERATOR, "generator", None)
        if not built and self._generator is not None and not chosen:
            generators.is_unseeded(self._generator)


def on_keras_3(module: ModuleType) -> None:
    """Let a SeedGenerator that nobody has seeded give the seed of the key, where there is one."""

    @patch.around(module, "SeedGenerator.next")
    def next_seed(original: Callable[..., Any], self: Any, *args: Any, **kwargs: Any) -> Any:
        tensorflow = sys.modules.get("tensorflow")
        if self._initial_seed is None and tensorflow and not tensorflow.executing_eagerly():
            draw = keys.draw_here()
            if draw is not None:
                return tensorflow.cast(draw.seed(), self.state.dtype)
            keys.note_draw(tensorflow.compat.v1.get_default_graph())
        return original(self, *args, **kwargs)
