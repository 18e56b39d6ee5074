"""Generators that the script or a library makes: each goes on where the one of its line was."""

import random
import sys
import weakref
from collections.abc import Callable
from types import ModuleType
from typing import Any

from tf_repro import patch, streams
from tf_repro.resume import global_states, places

# Generators that are followed at a time, of each kind.
LARGEST = 64
# As many references as a generator has that nobody but us holds: ours, the loop's and the call's.
_OURS = 3

# What generators were made from, in order: numbers of streams.
_numbers = places.Ledger()
_ledger = places.Ledger()
# Name -> the generator, or what holds it weakly.
_alive: dict[str, Any] = {}


class _Kind:
    """How the state of one kind of generators is read and written."""

    def __init__(
        self, name: str, get: Callable[[Any], Any], put: Callable[[Any, Any], None]
    ) -> None:
        self.name, self.get, self.put = name, get, put


def _put_numpy(generator: Any, state: Any) -> None:
    generator.bit_generator.state = global_states.decoded(state)


def _put_torch(generator: Any, state: Any) -> None:
    generator.set_state(global_states.to_torch(state))


def _get_variable(generator: Any) -> Any:
    import tensorflow as tf  # noqa: PLC0415  # its own generators

    return [int(word) for word in tf.convert_to_tensor(generator.state).numpy().ravel()]


def _put_variable(generator: Any, state: Any) -> None:
    generator.state.assign(state)


KINDS = {
    kind.name: kind
    for kind in (
        _Kind("numpy", lambda one: global_states.encoded(one.bit_generator.state), _put_numpy),
        _Kind("random", global_states.of_python, global_states.to_python),
        _Kind("tensorflow", _get_variable, _put_variable),
        _Kind("torch", lambda one: global_states.of_torch(one.get_state()), _put_torch),
    )
}


def _follow(kind: str, generator: Any) -> None:
    """Follow a generator that was just made, and have it go on if it is known."""
    if streams.state.process.path:
        return  # in a child, which begins anew
    name, state = _ledger.next(kind)
    if state is not None:
        KINDS[kind].put(generator, state)
    if len(_alive) >= LARGEST:
        for each in [each for each in _alive if _get(each) is None]:
            del _alive[each]
    if len(_alive) < LARGEST:
        try:
            _alive[name] = weakref.ref(generator)
        except TypeError:  # NumPy's cannot be held weakly
            _alive[name] = [generator]


def _get(name: str) -> Any:
    """Return a generator, or None where nobody but us holds it any more."""
    held = _alive[name]
    if not isinstance(held, list):
        return held()
    return held[0] if sys.getrefcount(held[0]) >= _OURS else None


def _states() -> dict[str, Any]:
    states = {}
    for name in list(_alive):
        generator = _get(name)
        if generator is not None:
            kind = KINDS[name.partition("@")[0]]
            try:
                states[name] = kind.get(generator)
            except Exception:  # noqa: BLE001, S112  # of a graph, or not built yet
                continue
    return states


def save() -> dict[str, Any]:
    """Return the state of each generator that is alive and not to be made anew."""
    return {"generators": _ledger.save(_states()), "numbers": _numbers.save()}


def restore(state: dict[str, Any]) -> None:
    """Put those that are here into their states, and keep the states of those that are not."""
    _numbers.restore(state["numbers"])
    for name, kept in _ledger.restore(state["generators"]).items():
        generator = _get(name) if name in _alive else None
        if generator is not None:
            KINDS[name.partition("@")[0]].put(generator, kept)


def supplied(kind: str, number: "Callable[[], int]") -> int:
    """Return which number of its kind a stream gives out next: the one of its line, if known."""
    if streams.state.process.path:
        return number()  # in a child, which begins anew
    name, known = _numbers.next(kind)
    value = number() if known is None else known
    _numbers.keep(name, value)
    return value


def on_new_random(generator: random.Random, file: str) -> None:
    """Follow a generator of Python's that code in `file` has made, if that is the user's."""
    if not places.is_library(file):
        _follow("random", generator)


def on_new_numpy(generator: Any) -> None:
    """Follow a generator of NumPy's."""
    _follow("numpy", generator)


def on_new_torch(generator: Any) -> None:
    """Follow a generator of torch's."""
    _follow("torch", generator)


def on_random_seed(_: ModuleType) -> None:
    """Follow which numbers streams give out; the module is TensorFlow's."""
    streams.state.numbered = supplied


def _on_class(name: str) -> Callable[[ModuleType], None]:
    def hook(module: ModuleType) -> None:
        @patch.around(module, f"{name}.__init__")
        def init(original: Callable[..., None], self: Any, *args: Any, **kwargs: Any) -> None:
            original(self, *args, **kwargs)
            tensorflow = sys.modules["tensorflow"]
            with tensorflow.init_scope():
                if tensorflow.executing_eagerly():
                    _follow("tensorflow", self)

    return hook


ON_IMPORT: dict[str, Callable[[ModuleType], None]] = {
    "tensorflow.python.framework.random_seed": on_random_seed,
    "tensorflow.python.ops.stateful_random_ops": _on_class("Generator"),
    "keras.src.random.seed_generator": _on_class("SeedGenerator"),
}
