"""What a test hands to `reproducible.check`, as leaves that can be kept, and compared in words."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from tf_repro.verify.comparing.ulps import apart

# Elements that are kept of one array: all of a small one, of a larger one so many, evenly spread.
KEPT = 256
_TYPES = "numbers, texts, bytes, arrays, tensors, models, and lists and dicts of these"


class ValueTypeError(Exception):
    """A value is of a type that cannot be kept; the message is one line for the user."""


@dataclass(frozen=True)
class Leaf:
    """One value.

    Attributes:
        type: NumPy's name of its type, or str, bytes, bool, int, float, none.
        shape: of an array.
        digest: of type, shape and every bit.
        kept: its elements, or some of them, as texts.
    """

    type: str
    shape: tuple[int, ...]
    digest: str
    kept: tuple[str, ...]

    @property
    def as_json(self) -> "dict[str, Any]":
        """As a golden file has it."""
        kept = " ".join(self.kept) if self.shape else self.kept[0]
        return {
            "type": self.type,
            **({"shape": list(self.shape)} if self.shape else {}),
            "digest": self.digest,
            "kept": kept,
        }


def leaves(value: Any, name: str = "") -> "Iterator[tuple[str, Leaf]]":
    """Yield each leaf of a value, with its place in it.

    Raises:
        ValueTypeError: there is one that cannot be kept.
    """
    if isinstance(value, Mapping):
        for key, one in value.items():
            yield from leaves(one, f"{name}.{key}" if name else str(key))
    elif hasattr(value, "get_weights") and hasattr(value, "weights"):  # a model, or a layer
        for one in value.weights:
            yield from leaves(
                one,
                f"{name}.{getattr(one, 'path', one.name)}"
                if name
                else str(getattr(one, "path", one.name)),
            )
    elif isinstance(value, list | tuple) and not _is_array(value):
        for number, one in enumerate(value):
            yield from leaves(one, f"{name}[{number}]")
    else:
        yield name, _leaf(value)


def _is_array(value: Any) -> bool:
    return hasattr(value, "__array__")


def _leaf(value: Any) -> Leaf:
    if value is None or isinstance(value, bool):
        return _of_text("none" if value is None else "bool", str(value))
    if isinstance(value, str):
        return _of_text("str", value)
    if isinstance(value, bytes | bytearray):
        return _of_text("bytes", bytes(value).hex())
    if type(value) in (int, float):
        return _of_text(type(value).__name__, repr(value))
    try:
        array = np.asarray(value.numpy() if hasattr(value, "numpy") else value)
    except Exception as error:
        raise ValueTypeError(f"{type(value).__name__} cannot be compared: {error}") from error
    # Text of NumPy, tensors of strings, or anything that it has only wrapped.
    if array.dtype.kind in "OSU":
        if array.dtype.kind == "O" and not all(isinstance(e, str | bytes) for e in array.ravel()):
            raise ValueTypeError(
                f"{type(value).__module__}.{type(value).__qualname__} cannot be compared: give "
                f"{_TYPES}"
            )
        texts = [one if isinstance(one, str) else one.hex() for one in array.ravel().tolist()]
        return _of(array, "str", "\0".join(texts).encode(), [repr(one) for one in _some(texts)])
    whole = np.ascontiguousarray(array)
    return _of(array, str(array.dtype), whole.tobytes(), [str(one) for one in _some(whole.ravel())])


def _some(flat: Any) -> Any:
    """Return all of a short sequence, or KEPT of a long one, evenly spread."""
    if len(flat) <= KEPT:
        return flat
    return [flat[place] for place in places(len(flat))]


def places(size: int) -> "list[int]":
    """Return which elements of a flat array are kept."""
    return list(range(size)) if size <= KEPT else [at * size // KEPT for at in range(KEPT)]


def _of_text(kind: str, text: str) -> Leaf:
    return Leaf(kind, (), _digest(kind, (), text.encode("utf-8", "surrogatepass")), (text,))


def _of(array: Any, kind: str, data: bytes, kept: "list[str]") -> Leaf:
    shape = tuple(map(int, array.shape))
    return Leaf(kind, shape, _digest(kind, shape, data), tuple(kept) or ("",))


def _digest(kind: str, shape: "tuple[int, ...]", data: bytes) -> str:
    return hashlib.sha256(f"{kind} {list(shape)}\0".encode() + data).hexdigest()


def difference(golden: "Mapping[str, Any]", now: Leaf) -> str:
    """Return in words how a value differs from the golden one; empty if it does not."""
    shape = tuple(golden.get("shape", ()))
    if (golden["type"], shape) != (now.type, now.shape):
        return f"{_kind(golden['type'], shape)} is {_kind(now.type, now.shape)}"
    if golden["digest"] == now.digest:
        return ""
    kept = golden["kept"]
    if not shape:
        return _numbers(now.type, [kept], now, shape) or f"{kept} is {now.kept[0]}"
    return _numbers(now.type, kept.split(" "), now, shape) or "not the same"


def _kind(name: str, shape: "tuple[int, ...]") -> str:
    return f"{name} of shape {list(shape)}" if shape else name


def _numbers(kind: str, before: "list[str]", now: Leaf, shape: "tuple[int, ...]") -> str:
    """Return it for numbers: how many of them, by how much, and where."""
    name = {"int": "int64", "float": "float64"}.get(kind, kind)
    try:
        one, other = (np.array([*map(_number, texts)], name) for texts in (before, now.kept))
    except (TypeError, ValueError, OverflowError):
        return ""
    if one.shape != other.shape:
        return ""
    found = apart(one, other)
    size = int(np.prod(shape)) if shape else 1
    if not found.elements:
        return f"none of the {len(before)} of {size} elements that are kept differs, others do"
    differing = [
        at for at, pair in enumerate(zip(before, now.kept, strict=True)) if len(set(pair)) > 1
    ]
    at = differing[0]
    where = ""
    if shape:
        index = np.unravel_index(places(size)[at], shape)
        of = f"{found.elements} of {len(before)} elements"
        of += f" ({size} in all, the others are not kept)" if len(before) < size else ""
        where = f"{of} differ, first at {[int(i) for i in index]}: "
    steps = "" if found.ulps is None else f", {found.ulps} ULP{'' if found.ulps == 1 else 's'}"
    largest = "largest " if shape else ""
    return (
        f"{where}{before[at]} is {now.kept[at]} ({largest}difference {found.absolute:.3g}{steps})"
    )


def _number(text: str) -> "complex | float | int | bool":
    if text in ("True", "False"):
        return text == "True"
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        return complex(text)
