"""The generators that keep their state in a variable: who made them, and what state they are in.

TensorFlow's own, of which Keras 2's random layers hold one each, and Keras 3's SeedGenerators. A
step's graph reads them as it reads the weights.
"""

import weakref
from collections.abc import Callable
from types import ModuleType
from typing import Any

from tf_repro import caller, patch

LARGEST = 64  # generators that are followed at a time
# The name of a generator, which tells its class and the user's line, and the generator.
_made: "dict[str, weakref.ref[Any]]" = {}
# Class and line -> how many generators it has made.
_counts: dict[str, int] = {}
# A graph holds a variable's handle, and nothing that keeps the variable itself alive.
_in_graphs: dict[int, Any] = {}


def states() -> dict[str, Any]:
    """Return a digest of the state of each generator that is there: uint8, shape (8,)."""
    import tensorflow as tf  # noqa: PLC0415  # the user's program has it by now

    from tf_repro.recording import digest  # noqa: PLC0415  # as above

    found = {}
    for name, known in list(_made.items()):
        generator = known()
        state = getattr(generator, "state", None)
        if state is None or getattr(state, "_value", state) is None:
            continue  # gone, or a Keras variable that is not made before its layer is built
        found[name] = digest.of(state)
        if not tf.executing_eagerly():
            _in_graphs[id(generator)] = generator
    return found


def _on_class(name: str) -> Callable[[ModuleType], None]:
    def hook(module: ModuleType) -> None:
        @patch.around(module, f"{name}.__init__")
        def init(original: Callable[..., None], self: Any, *args: Any, **kwargs: Any) -> None:
            original(self, *args, **kwargs)
            _note(self)

    return hook


def _note(generator: Any) -> None:
    import tensorflow as tf  # noqa: PLC0415  # as above

    with tf.init_scope():
        if not tf.executing_eagerly():
            return  # it belongs to a graph of the TF 1 kind, and no other may read it
    for name, known in list(_made.items()):  # replicas make theirs in threads
        if known() is None:
            _made.pop(name, None)
    place = caller.shown(*caller.place())
    whose = f"the {type(generator).__name__} of {place}"
    count = _counts[whose] = _counts.get(whose, 0) + 1
    if len(_made) < LARGEST:
        _made[f"{whose} ({count})" if count > 1 else whose] = weakref.ref(generator)


ON_IMPORT: dict[str, Callable[[ModuleType], None]] = {
    "tensorflow.python.ops.stateful_random_ops": _on_class("Generator"),
    # Keras 3.
    "keras.src.random.seed_generator": _on_class("SeedGenerator"),
}
