"""What this process has trained: models and variables, and the weights that they have now."""

import hashlib
import json
import weakref
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    import numpy as np

_models: "list[weakref.ref[Any]]" = []
_variables: "dict[int, weakref.ref[Any]]" = {}


class Weights(NamedTuple):
    """The weights of a model, or of what belongs to none.

    Attributes:
        model: what it is called in records.
        names: of its variables, in the model's order.
        arrays: their values.
    """

    model: str
    names: Sequence[str]
    arrays: "Sequence[np.ndarray]"


def digest(kept: "Iterable[tuple[str, str, np.ndarray]]") -> str:
    """Return one SHA-256 over weights, in their order; "" of none.

    Args:
        kept: a model, the name of one of its variables, and its value.
    """
    whole, some = hashlib.sha256(), False
    for model, name, value in kept:
        some = True
        whole.update(json.dumps([model, name, str(value.dtype), list(value.shape)]).encode())
        whole.update(value.tobytes())
    return whole.hexdigest() if some else ""


def note_model(model: Any) -> None:
    """Remember a model, as long as the program keeps it."""
    if all(known() is not model for known in _models):
        _models.append(weakref.ref(model))


def note_variables(variables: Sequence[Any]) -> None:
    """Remember variables that an optimiser updates, of whatever model or of none, likewise."""
    for one in variables:
        _variables[id(one)] = weakref.ref(one)  # one that is gone has left its id to another


def weights() -> Iterator[Weights]:
    """Yield the weights that are still there, model by model, and then what is left over."""
    left = {key: known() for key, known in _variables.items()}
    for number, known in enumerate(_models):
        model = known()
        if model is not None:
            for one in model.weights:
                left.pop(id(one), None)
            yield _weights(f"model {number}", model.weights)
    rest = [one for one in left.values() if one is not None]
    if rest:
        yield _weights("other variables", rest)


def _weights(model: str, variables: Sequence[Any]) -> Weights:
    import tensorflow as tf  # noqa: PLC0415  # whoever has trained has it

    names = [str(getattr(one, "path", one.name)) for one in variables]
    return Weights(model, names, [tf.convert_to_tensor(one).numpy() for one in variables])
