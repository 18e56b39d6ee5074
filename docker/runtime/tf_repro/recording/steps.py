"""One training step, from the batch to the weights: put together in the graph, written on the host.

A step is gathered where it is traced (or runs, when eager): the batch as the model's train_step
gets it, the loss as the tape gets it, the gradients and the weights around the optimiser. Its
digests leave the graph together, through one call to the host.
"""

import base64
import hashlib
import itertools
import os
import signal
import weakref
from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from tf_repro import environment
from tf_repro.recording import (
    at_hand,
    devices,
    digest,
    generators,
    notebook_cell,
    random_ops,
    random_states,
    writer,
)
from tf_repro.recording.format import BYTES, Kind
from tf_repro.recording.guard import guarded

# An optimiser that is gone leaves its id to another one.
_series: "dict[int, tuple[weakref.ref[Any], str]]" = {}
_optimizers = itertools.count()
_counts: dict[tuple[str, int], int] = {}
_points: dict[str, int] = {}
_kill_after = int(os.environ.get(environment.KILL) or 0)
# The digests of the weights that the last step of each series has left.
_left: dict[tuple[str, int], bytes] = {}


@guarded("a batch")
def note_batch(data: Any) -> None:
    """Take the batch that a train_step was given, of any structure."""
    leaves = [leaf for leaf in tf.nest.flatten(data) if leaf is not None]
    if not leaves or at_hand.gathered.in_xla:
        return
    with at_hand.quiet():
        at_hand.present().batch = _of_batch(leaves)


def _of_batch(leaves: Sequence[Any]) -> Any:
    parts = [digest.of_examples(leaf) for leaf in leaves]
    sizes = {part.shape[0] for part in parts}
    if len(sizes) == 1 and (None not in sizes or len(parts) == 1):
        whole = tf.concat(parts, axis=1)
    else:
        # Leaves of unlike lengths have no examples in common: each counts as a whole.
        whole = tf.concat([digest.of(part)[tf.newaxis] for part in parts], axis=1)
    return digest.of_examples(whole)


@guarded("a loss")
def note_loss(target: Any) -> None:
    """Take what the gradients are asked of."""
    leaves = tf.nest.flatten(target)
    if leaves and not at_hand.gathered.in_xla and tf.is_tensor(leaves[0]):
        at_hand.present().loss = leaves[0]


@guarded("what an optimiser updates")
def series_of(optimizer: Any, variables: Sequence[Any]) -> str:
    """Return the name of an optimiser's steps; the first time, write what it updates."""
    known, name = _series.get(id(optimizer), (None, ""))
    if known is None or known() is not optimizer:
        if not _series:
            writer.write(Kind.DEVICES, **devices.describe())
        name = f"optimizer {next(_optimizers)}"
        _series[id(optimizer)] = weakref.ref(optimizer), name
        names = [str(getattr(one, "path", one.name)) for one in variables]
        writer.write(
            Kind.VARIABLES,
            series=name,
            optimizer=type(optimizer).__name__,
            names=names,
            shapes=[list(one.shape) for one in variables],
        )
        _write_initial(name, variables)
    return name


def _write_initial(series: str, variables: Sequence[Any]) -> None:
    """Write the weights before the first step, outside of the graph that is being traced."""
    with tf.init_scope(), at_hand.quiet():
        if not tf.executing_eagerly():
            return  # a TF 1 graph has no values before its session runs
        weights = _of_weights(variables).numpy()
        writer.write(Kind.INITIAL, series=series, weights=_text(weights))


@guarded("weights before a step")
def note_weights(variables: Sequence[Any]) -> Any:
    """Return the digests of the weights before the update: uint8, shape (variables * 8,).

    Something may have changed them since the update before, which is no part of any step.
    """
    with at_hand.quiet():
        return _of_weights(variables)


def _of_weights(variables: Sequence[Any]) -> Any:
    return tf.concat([digest.of(one) for one in variables], 0)


@guarded("gradients")
def note_gradients(gradients: Sequence[Any]) -> Any:
    """Return the digests of the gradients: uint8, shape (gradients * 8,)."""
    with at_hand.quiet():
        none = tf.zeros([BYTES], tf.uint8)
        return tf.concat([none if one is None else digest.of(one) for one in gradients], 0)


@guarded("gradients")
def keep_gradients(series: "str | None", gradients: Sequence[Any]) -> None:
    """Keep the gradients themselves at the step that `--bisect` looks into."""
    if at_hand.bisecting and series is not None:
        from tf_repro.recording.operations import step_values  # noqa: PLC0415  # under --bisect alone

        with at_hand.quiet():
            at_hand.present().kept = [step_values.keep(series, step_values.GRADIENTS, gradients)]


@guarded("a step")
def emit(series: "str | None", before: Any, gradients: Any, variables: Sequence[Any]) -> None:
    """Write the step, once the optimiser has updated the variables; None for what was lost."""
    if series is None or before is None or gradients is None:
        return
    with at_hand.quiet():
        _emit(series, before, gradients, variables)


def _emit(series: str, before: Any, gradients: Any, variables: Sequence[Any]) -> None:
    here = at_hand.present()
    if at_hand.bisecting:
        from tf_repro.recording.operations import step_values  # noqa: PLC0415  # as above

        here.kept.append(step_values.keep(series, step_values.WEIGHTS, variables))
    loss = tf.constant(float("nan")) if here.loss is None else here.loss
    has_batch = here.batch is not None
    batch = here.batch if has_batch else tf.zeros([0, BYTES], tf.uint8)
    weights = _of_weights(variables)
    names, states = _of_generators()
    replica = tf.distribute.get_replica_context()
    number = replica.replica_id_in_sync_group if replica else 0
    if here.graph is not None:
        random_ops.note(here.graph, series)

    # What is kept is an argument so that it has been kept by the time the step ends.
    @guarded("a step")
    def write(replica_number: Any, loss_value: Any, batch_value: Any, begun: Any, grads: Any,
              after: Any, states_after: Any, *_kept: Any) -> None:  # fmt: skip
        known = batch_value if has_batch else None
        hexes = [one.tobytes().hex() for one in states_after]
        made = dict(zip(names, hexes, strict=True))
        _write_step(series, int(replica_number), loss_value, known, begun, grads, after, made)

    arguments = [number, loss, batch, before, gradients, weights, states, *here.kept]
    if here.graph is None:
        write(*(tf.convert_to_tensor(one).numpy() for one in arguments))
    else:
        tf.numpy_function(write, arguments, [])
    here.loss, here.kept = None, []


def _of_generators() -> tuple[list[str], Any]:
    """Return the names of the generators, and their states' digests: uint8, shape (names, 8)."""
    with tf.init_scope():
        has_values = tf.executing_eagerly()
    # A graph of the TF 1 kind has variables without values, until its session gives them some.
    found = generators.states() if has_values else {}
    states = tf.stack(list(found.values())) if found else tf.zeros([0, BYTES], tf.uint8)
    return list(found), states


def _write_step(
    series: str,
    replica: int,
    loss: Any,
    batch: Any,
    before: Any,
    gradients: Any,
    weights: Any,
    made: dict[str, str],
) -> None:
    key = series, replica
    _counts[key] = _counts.get(key, 0) + 1
    fields = {
        "series": series,
        "replica": replica,
        "step": _counts[key],
        "loss": float(loss.astype("float64").sum()),
        "loss_bits": loss.tobytes().hex(),
        "loss_type": loss.dtype.name,
        "gradients": _text(gradients),
        "weights": _text(weights),
        "random": random_states.digests(),
        "generators": made,
    }
    if _left.get(key) != before.tobytes():
        fields["before"] = _text(before)
    _left[key] = weights.tobytes()
    cell = notebook_cell.number()
    if cell:
        fields["cell"] = cell
    if batch is not None:
        fields["batch"] = _hash(batch.tobytes())
        # Without regard to their order: which examples, and what is in them.
        fields["examples"] = f"{int(batch.view('<u8').sum(dtype='u8')):016x}"
    writer.write(Kind.STEP, **fields)
    _end_if_it_is_to_be_killed()
    if at_hand.bisecting and replica == 0:
        from tf_repro.recording.operations import log  # noqa: PLC0415  # as above

        log.step_ended()


def _end_if_it_is_to_be_killed() -> None:
    """Die as a machine does that is taken away, after the step that was asked for."""
    if _kill_after and sum(_counts.values()) == _kill_after:
        os.kill(os.getpid(), signal.SIGKILL)


@guarded("a point of the user")
def point(name: str, tensor: Any) -> None:
    """Write the digest of a tensor that the user has named; see `tf_repro.record`."""

    @guarded("a point of the user")
    def write(value: Any) -> None:
        _points[name] = _points.get(name, 0) + 1
        writer.write(Kind.POINT, name=name, n=_points[name], digest=_text(value))

    with at_hand.quiet():
        value = digest.of(tensor)
        if tf.executing_eagerly():
            write(value.numpy())
        else:
            tf.numpy_function(write, [value], [])


def _hash(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=BYTES).hexdigest()


def _text(digests: Any) -> str:
    return base64.b64encode(digests.tobytes()).decode()
