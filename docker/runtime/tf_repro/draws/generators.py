"""tf.random.Generator: one that nobody has seeded draws by key, where there is one; see keys.py."""

import weakref
from collections.abc import Callable
from types import ModuleType
from typing import Any

from tf_repro import patch
from tf_repro.draws import keys

# Words of 64 bits in the state of Philox, and of what chooses its algorithm by the device: a
# counter of 128 bits, of which the lower half counts what an op draws, and a key.
_PHILOX_STATE = 3

# Generators of TensorFlow's that nobody has given a seed.
_unseeded: "weakref.WeakSet[Any]" = weakref.WeakSet()


def is_unseeded(generator: Any) -> Any:
    """Take down that the seed of a tf.random.Generator is a stream's, and return the generator."""
    _unseeded.add(generator)
    return generator


def on_stateful_random_ops(module: ModuleType) -> None:
    """Have a generator that nobody has seeded begin anew at the key, where there is one."""

    def draw_of(generator: Any) -> "keys.Draw | None":
        if generator not in _unseeded or module.context.executing_eagerly():
            return None
        keys.note_draw(module.ops.get_default_graph())
        return keys.draw_here() if generator.state.shape == [_PHILOX_STATE] else None

    @patch.around(module, "Generator.skip")
    def skip(original: Callable[..., Any], self: Any, delta: Any) -> Any:
        draw = draw_of(self)
        return original(self, delta) if draw is None else draw.state()

    # What most of its methods draw by. To take it out of the state costs an element several ops.
    @patch.around(module, "Generator._prepare_key_counter")
    def prepare_key_counter(original: Callable[..., Any], self: Any, shape: Any) -> Any:
        draw = draw_of(self)
        if draw is None:
            return original(self, shape)
        by = draw.philox()
        return by["key"], by["counter"]
