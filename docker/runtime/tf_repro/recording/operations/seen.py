"""Every operation of a training, around one step: what came out of it, in digests.

It is there only for the extra pair of runs of `tf-repro verify --bisect`, which names the step in
TF_REPRO_BISECT. TensorFlow reports each operation as it runs (eager) or is traced; a traced one
gets a call to the host beside it, which costs next to nothing outside of the steps in question.
https://github.com/tensorflow/tensorflow/blob/v2.15.1/tensorflow/python/framework/op_callbacks.py

An operation's inputs are the outputs of others, so that a traced one is kept by its outputs alone.
The k-th execution in one run answers to the k-th in another, whatever the threads do.
"""

import hashlib
import weakref
from collections.abc import Sequence
from typing import Any

from tf_repro import caller
from tf_repro.recording import at_hand, random_ops
from tf_repro.recording.format import Kind
from tf_repro.recording.operations import log

# What names functions, a place in memory or a device, and decides nothing.
_NO_ATTRIBUTES = {
    *("token", "branches", "shared_name", "container", "config_proto", "device", "executor_type"),
    *("output_shapes", "callback_id"),
}
_SEEDS = ("seed", "seed2")
_CACHED = 4096  # digests of eager tensors, which are often the next operation's inputs

Key = tuple[int, int]


# Graph -> tensor's name -> which output of which operation it is.
_produced: "weakref.WeakKeyDictionary[Any, dict[str, Key]]" = weakref.WeakKeyDictionary()
_eager_kinds: dict[tuple[str, ...], int] = {}
_eager_digests: dict[int, str] = {}
_failed: list[str] = []


def on_op(
    op_type: str,
    inputs: Sequence[Any],
    attributes: Sequence[Any],
    outputs: Sequence[Any],
    op_name: "str | None" = None,
    graph: Any = None,
) -> None:
    """Take one operation, as TensorFlow reports it; inputs and outputs stay what they are."""
    if at_hand.here.busy:
        return
    with at_hand.Quiet():
        try:
            if graph is None:
                _eager(_text(op_type), inputs, attributes, outputs)
            else:
                _traced(_text(op_type), inputs, outputs, _text(op_name or ""), graph)
        except Exception as error:  # noqa: BLE001  # an operation less, and a training that runs on
            _say_once(f"{_text(op_type)}: {type(error).__name__}: {error}")


def _eager(
    op_type: str, inputs: Sequence[Any], attributes: Sequence[Any], outputs: Sequence[Any]
) -> None:
    place = caller.shown(*caller.place())
    pairs = dict(zip(map(_text, attributes[::2]), attributes[1::2], strict=False))
    attrs = _hash(
        repr([(name, str(one)) for name, one in pairs.items() if _decides(name, callable(one))])
    )
    seeds = repr([pairs[name] for name in _SEEDS if name in pairs])
    kind = op_type, place, attrs, seeds
    number = _eager_kinds.get(kind)
    if number is None:
        number = _eager_kinds[kind] = log.define(
            type=op_type, place=place, attrs=attrs, seeds=seeds
        )
    if not log.eager_counts():
        return
    log_in = [_of_eager(one) for one in inputs]
    results = [one for one in outputs if _is_eager(one)]
    log_out = [_of_eager(one) for one in results]
    values = [one.numpy() for one in results if _has_bytes(one.dtype)]
    log.eager(number, log_in, log_out, values)


def _decides(attribute: str, is_function: bool) -> bool:
    """Tell whether an attribute may change what comes out; the name of a function does not."""
    return not (is_function or attribute in _NO_ATTRIBUTES or attribute.startswith("_"))


def _is_eager(value: Any) -> bool:
    return hasattr(value, "_id") and hasattr(value, "numpy")


def _of_eager(tensor: Any) -> str:
    if not _is_eager(tensor) or not _has_bytes(tensor.dtype):
        return ""
    known = _eager_digests.get(tensor._id)
    if known is None:
        if len(_eager_digests) >= _CACHED:
            _eager_digests.clear()
        known = _eager_digests[tensor._id] = log.digest(tensor.numpy())
    return known


def _traced(
    op_type: str, inputs: Sequence[Any], outputs: Sequence[Any], name: str, graph: Any
) -> None:
    if at_hand.gathered.in_xla or not getattr(graph, "building_function", False):
        return
    produced = _produced.setdefault(graph, {})
    sources = [_source(graph, produced, one) for one in inputs]
    if op_type == "Const" and not _has_bytes(outputs[0].dtype):
        return
    if op_type == "Identity":
        # What a function returns goes through one, which waits for every call to the host: one
        # that waited for it in turn would close a circle. It is its input, so nothing is lost.
        produced.update(
            (one.name, source) for one, source in zip(outputs, sources, strict=False) if source
        )
        return
    # A constant is reported under the name that was asked for, which may have been taken.
    op = outputs[0].op if outputs else graph.get_operation_by_name(name)
    attributes = op.node_def.attr
    kept = sorted(
        (key, value.SerializeToString(deterministic=True))
        for key, value in attributes.items()
        if _decides(key, value.WhichOneof("value") == "func")
    )
    number = log.define(
        type=op_type,
        name=op.name,
        place=random_ops.place(op),
        attrs=_hash(repr(kept)),
        seeds=repr([attributes[key].i for key in _SEEDS if key in attributes]),
        graph=graph.name,
        pipeline=at_hand.here.pipeline,
        inputs=[one for one in sources if one],
    )
    _watch(number, list(op.outputs), produced)


def _source(graph: Any, produced: dict[str, Key], tensor: Any) -> "Key | None":
    """Return what made an input; an argument of the function counts as an operation of its own."""
    if not _has_bytes(tensor.dtype):
        return None
    if tensor.name not in produced:
        op = tensor.op
        number = log.define(
            type=op.type, name=op.name, place="", attrs="", seeds="[]", graph=graph.name,
            pipeline=at_hand.here.pipeline, inputs=[],
        )  # fmt: skip
        _watch(number, list(op.outputs), produced)
    return produced.get(tensor.name)


def _watch(number: int, outputs: Sequence[Any], produced: dict[str, Key]) -> None:
    import tensorflow as tf  # noqa: PLC0415  # the user's program has it by now

    seen = [one for one in outputs if _has_bytes(one.dtype)]
    for place, one in enumerate(seen):
        produced[one.name] = number, place
    if seen:
        pipeline = at_hand.here.pipeline
        tf.numpy_function(lambda *values: log.traced(number, values, pipeline), seen, [])


def _has_bytes(dtype: Any) -> bool:
    """Tell whether tensors of a type can be read, and say something.

    Handles cannot, nor TensorFlow 1's references; strings are mostly names of handles.
    """
    return dtype.name not in {"resource", "variant", "string"} and not dtype._is_ref_dtype


def _say_once(line: str) -> None:
    if line not in _failed and len(_failed) < 5:  # noqa: PLR2004  # a sample
        from tf_repro.recording import writer  # noqa: PLC0415  # rarely

        _failed.append(line)
        writer.write(Kind.UNRECORDED, what="an operation under --bisect", reason=line)


def _text(name: Any) -> str:
    return name.decode() if isinstance(name, bytes) else str(name)


def _hash(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
