"""The generators that a process has one of, and the counters of its streams."""

import base64
import itertools
import random
import struct
import sys
from typing import Any

from tf_repro import streams

# Of names of graphs: a program that is started again traces its functions again, in the order in
# which it did before, and their ops get the seeds that they had.
_TRACED = "tensorflow.op/"


def encoded(value: Any) -> Any:
    """Return what JSON can hold of the state of a generator."""
    if isinstance(value, dict):
        return {key: encoded(one) for key, one in value.items()}
    if hasattr(value, "tobytes") and bool(getattr(value, "ndim", 0)):
        return {"array": value.dtype.str, "of": base64.b64encode(value.tobytes()).decode()}
    if isinstance(value, float):
        return {"float": value.hex()}
    return value.item() if hasattr(value, "item") else value


def decoded(value: Any) -> Any:
    """Return what was `encoded`."""
    if not isinstance(value, dict):
        return value
    if value.keys() == {"float"}:
        return float.fromhex(value["float"])
    if value.keys() == {"array", "of"}:
        numpy = sys.modules["numpy"]
        return numpy.frombuffer(base64.b64decode(value["of"]), numpy.dtype(value["array"])).copy()
    return {key: decoded(one) for key, one in value.items()}


def of_python(generator: random.Random) -> list[Any]:
    """Return the state of one of Python's generators."""
    version, words, gauss = generator.getstate()
    data = struct.pack(f"<{len(words)}I", *words)
    return [version, base64.b64encode(data).decode(), None if gauss is None else gauss.hex()]


def to_python(generator: random.Random, state: list[Any]) -> None:
    """Put one of Python's generators into a state that `of_python` returned."""
    version, text, gauss = state
    data = base64.b64decode(text)
    words = struct.unpack(f"<{len(data) // 4}I", data)
    generator.setstate((version, words, None if gauss is None else float.fromhex(gauss)))


def of_torch(state: Any) -> str:
    """Return what JSON can hold of the state of one of torch's generators, a tensor of bytes."""
    return base64.b64encode(state.numpy().tobytes()).decode()


def to_torch(text: str) -> Any:
    """Return the state that `of_torch` was given."""
    torch = sys.modules["torch"]
    return torch.frombuffer(bytearray(base64.b64decode(text)), dtype=torch.uint8)


def _op_seeds() -> Any:
    """Return TensorFlow's generator of the seeds of ops that are given none, or None."""
    context = sys.modules.get("tensorflow.python.eager.context")
    return getattr(context.context(), "_rng", None) if context is not None else None


def save() -> dict[str, Any]:
    """Return the state of each that is in use."""
    state: dict[str, Any] = {
        "random": of_python(random._inst),
        "counters": {
            kind: counter.__reduce__()[1][0]
            for kind, counter in streams.state.process.counters.copy().items()
            if not kind.startswith(_TRACED)
        },
        "own seeds": dict(streams.state.own_seeds),
    }
    numpy_random = sys.modules.get("numpy.random")
    if numpy_random is not None:
        state["numpy"] = encoded(numpy_random.get_state(legacy=False))
    if _op_seeds() is not None:
        context = sys.modules["tensorflow.python.eager.context"].context()
        state["tensorflow"] = [context._seed, of_python(context._rng)]
    torch: Any = sys.modules.get("torch")
    if hasattr(torch, "get_rng_state"):
        state["torch"] = of_torch(torch.get_rng_state())
    return state


def restore(state: dict[str, Any]) -> None:
    """Put each into the state that `save` returned."""
    to_python(random._inst, state["random"])
    for kind, number in state["counters"].items():
        streams.state.process.counters[kind] = itertools.count(number)
    streams.state.own_seeds.clear()
    streams.state.own_seeds.update(state["own seeds"])
    if "numpy" in state and "numpy.random" in sys.modules:
        sys.modules["numpy.random"].set_state(decoded(state["numpy"]))
    if "tensorflow" in state and _op_seeds() is not None:
        context = sys.modules["tensorflow.python.eager.context"].context()
        context._seed, words = state["tensorflow"]
        to_python(context._rng, words)
    torch: Any = sys.modules.get("torch")
    if "torch" in state and hasattr(torch, "set_rng_state"):
        torch.set_rng_state(to_torch(state["torch"]))
