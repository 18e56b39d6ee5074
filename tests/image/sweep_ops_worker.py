"""Calls ops of tf.raw_ops with made-up inputs, again and again; sweep_ops.py starts it."""

import functools
import hashlib
import itertools
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.python.framework import op_def_registry

RUNS = 12
# Ways to call an op that are tried, and those that work that are then compared.
ATTEMPTS = 700
CALLS = 3
SHAPES = ((1 << 18,), (512, 512), (4, 48, 48, 16), (4, 8, 24, 24, 4), (8,), (4,), (2,), ())
# Whole numbers without a shape are sizes, or axes.
SCALARS = (8, 0)

Call = dict[str, Any]


def _convolution(name: str, dimensions: int) -> Callable[[], list[Call]]:
    """Return the calls for one of the ops of a convolution's gradient."""

    def calls() -> list[Call]:
        rng = np.random.default_rng(0)
        size = [8, *[24] * dimensions, 16] if dimensions == 2 else [4, 8, 12, 12, 8]
        filters = [*[3] * dimensions, size[-1], size[-1]]
        common = {
            "out_backprop": tf.constant(rng.standard_normal(size), tf.float32),
            "strides": [1] * (dimensions + 2),
            "padding": "SAME",
        }
        if name == "input":
            other = tf.constant(rng.standard_normal(filters), tf.float32)
            return [{"input_sizes": size, "filter": other, **common}]
        other = tf.constant(rng.standard_normal(size), tf.float32)
        return [{"input": other, "filter_sizes": filters, **common}]

    return calls


def _sparse(name: str) -> Callable[[], list[Call]]:
    """Return the calls for an op on sparse matrices, many of whose entries share a row."""

    def calls() -> list[Call]:
        rng = np.random.default_rng(0)
        dense = rng.standard_normal((200, 2000)) * (rng.random((200, 2000)) < 0.3)
        sparse = tf.sparse.from_dense(tf.constant(dense, tf.float32))
        if name == "matmul":
            other = tf.constant(rng.standard_normal((2000, 64)), tf.float32)
            return [
                {
                    "a_indices": sparse.indices,
                    "a_values": sparse.values,
                    "a_shape": sparse.dense_shape,
                    "b": other,
                }
            ]
        return [
            {
                "input_indices": sparse.indices,
                "input_values": sparse.values,
                "input_shape": sparse.dense_shape,
                "reduction_axes": [0],
            }
        ]

    return calls


def _scatter() -> list[Call]:
    """Add many rows to few."""
    rng = np.random.default_rng(0)
    return [
        {
            "indices": tf.constant(rng.integers(0, 7, (50_000, 1)), tf.int32),
            "updates": tf.constant(rng.standard_normal((50_000, 16)), tf.float32),
            "shape": [7, 16],
        }
    ]


def _scatter_to() -> list[Call]:
    """Add many rows to few of a tensor."""
    call = _scatter()[0]
    return [
        {"tensor": tf.zeros(call["shape"]), "indices": call["indices"], "updates": call["updates"]}
    ]


def _crops() -> list[Call]:
    """Propagate the gradients of many overlapping crops back to few images."""
    rng = np.random.default_rng(0)
    return [
        {
            "grads": tf.constant(rng.standard_normal((400, 16, 16, 3)), tf.float32),
            "boxes": tf.constant(np.sort(rng.random((400, 4)), axis=1), tf.float32),
            "box_ind": tf.constant(rng.integers(0, 4, 400), tf.int32),
            "image_size": [4, 64, 64, 3],
            "T": tf.float32,
        }
    ]


# What made-up inputs do not reach, and adds up floats from several threads.
BY_HAND: dict[str, Callable[[], list[Call]]] = {
    "Conv2DBackpropFilter": _convolution("filter", 2),
    "Conv2DBackpropInput": _convolution("input", 2),
    "Conv3DBackpropFilterV2": _convolution("filter", 3),
    "Conv3DBackpropInputV2": _convolution("input", 3),
    "CropAndResizeGradImage": _crops,
    "ScatterNd": _scatter,
    "SparseReduceSum": _sparse("sum"),
    "SparseTensorDenseMatMul": _sparse("matmul"),
    "TensorScatterAdd": _scatter_to,
}


def inputs_of(op: Any) -> list[tuple[str, Any, bool]]:
    """Return (name, dtype, whether a list) of each input; raise LookupError for a handle."""
    allowed = {attr.name: list(attr.allowed_values.list.type) for attr in op.attr}
    wanted = [tf.float32, tf.int32, tf.int64, tf.bool, tf.complex64, tf.string, tf.qint8]
    out = []
    for argument in op.input_arg:
        if argument.type:
            dtype = tf.as_dtype(argument.type)
        else:
            name = argument.type_attr or argument.type_list_attr
            of_op = [tf.as_dtype(value) for value in allowed.get(name, [])] or wanted
            dtype = next((one for one in wanted if one in of_op), of_op[0])
        if dtype in (tf.resource, tf.variant) or dtype._is_ref_dtype or argument.is_ref:
            raise LookupError("takes a handle")
        out.append((argument.name, dtype, bool(argument.number_attr or argument.type_list_attr)))
    return out


def attributes_of(op: Any) -> Iterator[Call]:
    """Yield values for the attributes without a default that no input implies."""
    implied = {a.type_attr for a in op.input_arg} | {a.number_attr for a in op.input_arg}
    implied |= {a.type_list_attr for a in op.input_arg}
    needed = [a for a in op.attr if a.name not in implied and not a.HasField("default_value")]
    choices: list[list[Any]] = []
    for attr in needed:
        if attr.type in ("func", "list(func)"):
            raise LookupError("takes a function")
        if attr.type == "string" and attr.allowed_values.list.s:
            choices.append([value.decode() for value in attr.allowed_values.list.s][:2])
        else:
            choices.append(
                {
                    "type": [tf.float32, tf.int32, tf.int64],
                    "int": [2, 1],
                    "float": [0.5],
                    "bool": [False],
                    "string": [""],
                    "shape": [[], [512, 512]],
                    "list(int)": [[1, 2, 2, 1], [1, 1, 1, 1], [1, 2, 2, 2, 1], [1]],
                    "list(float)": [[1.0, 1.4, 1.4, 1.0]],
                    "list(type)": [[tf.float32]],
                    "list(shape)": [[[]]],
                }.get(attr.type, [None])
            )
    for values in itertools.product(*choices):
        yield dict(zip((attr.name for attr in needed), values, strict=True))


@functools.cache
def made_up(dtype: Any, shape: tuple[int, ...], number: int, scalar: int) -> Any:
    """Return a tensor: floats of many sizes, or small sorted integers, which are valid indices."""
    rng = np.random.default_rng(number)
    if dtype == tf.string:
        return tf.fill(shape, "a,1")
    if dtype == tf.bool:
        return tf.constant(rng.random(shape) < 0.5)
    if dtype.is_floating or dtype.is_complex:
        values = rng.standard_normal(shape) * 10.0 ** rng.integers(-3, 3, shape)
        return tf.cast(tf.constant(values), dtype)
    if shape == ():
        return tf.constant(scalar, dtype) if dtype.is_integer else tf.zeros(shape, dtype)
    values = np.sort(rng.integers(0, 4, shape), axis=None).reshape(shape)
    return tf.cast(tf.constant(values), dtype)


def shapes_for(count: int) -> Iterator[tuple[tuple[int, ...], ...]]:
    """Yield shapes for `count` inputs: all alike first, then every mixture, large ones first."""
    yield from ((shape,) * count for shape in SHAPES)
    if count > 1:
        usual = SHAPES if count < 4 else SHAPES[:3] + SHAPES[-1:]
        yield from itertools.product(usual, repeat=count)


def fingerprint(result: Any) -> bytes:
    """Return a digest of all that an op gives back."""
    digest = hashlib.sha256()
    for tensor in tf.nest.flatten(result):
        if tensor is not None and tensor.dtype not in (tf.variant, tf.resource):
            value = tensor.numpy()
            digest.update(
                value
                if isinstance(value, bytes)
                else repr(value.tolist()).encode()
                if value.dtype == object
                else value.tobytes()
            )
    return digest.digest()


def calls_for(op: Any) -> Iterator[tuple[str, Call]]:
    """Yield (shapes, arguments) to try; raise LookupError for an op that cannot be called."""
    if op is None or op.is_stateful:
        raise LookupError("keeps state")
    if op.name in BY_HAND:
        yield from (("by hand", call) for call in BY_HAND[op.name]())
        return
    inputs, attributes = inputs_of(op), list(attributes_of(op))
    if not inputs:
        raise LookupError("takes nothing")
    attempts = itertools.product(SCALARS, shapes_for(len(inputs)), attributes)
    for scalar, shapes, attrs in itertools.islice(attempts, ATTEMPTS * len(SCALARS)):
        call = dict(attrs)
        for number, (one, shape) in enumerate(zip(inputs, shapes, strict=True)):
            argument, dtype, is_list = one
            tensor = made_up(dtype, shape, number, scalar)
            call[argument] = [tensor, tensor] if is_list else tensor
        yield " ".join("x".join(map(str, shape)) or "scalar" for shape in shapes), call


def try_op(name: str) -> tuple[str, str]:
    """Return (outcome, detail) for one op."""
    run = getattr(tf.raw_ops, name)
    works: list[str] = []
    refused, worst = "", 1
    try:
        for shapes, call in calls_for(op_def_registry.get(name)):
            try:
                first = fingerprint(run(**call))
            except Exception as error:  # noqa: BLE001  # whatever it says of made-up inputs
                line = str(error).splitlines()[0]
                if "determinis" in line:
                    return "raises", line[:150]
                refused = refused or f"{type(error).__name__}: {line[:120]}"
                continue
            results = {first} | {fingerprint(run(**call)) for _ in range(RUNS - 1)}
            worst = max(worst, len(results))
            works.append(shapes)
            if len(works) >= CALLS or worst > 1:
                break
    except LookupError as error:
        return "not tried", str(error)
    if not works:
        return "not tried", refused
    outcome = "equal" if worst == 1 else "DIFFERS"
    return outcome, f"{worst} results in {RUNS} runs; {', '.join(works)}"


def main(names: list[str]) -> None:
    """Try the ops, and print a line as each begins and as it ends."""
    for name in names:
        print(f"begin\t{name}", flush=True)
        outcome, detail = try_op(name)
        print(f"end\t{name}\t{outcome}\t{detail}".replace("\n", " "), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
