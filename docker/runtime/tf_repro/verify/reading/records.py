"""What a run left, read back: the header, and the steps of every optimiser in their order."""

import base64
import itertools
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from tf_repro.recording.format import BYTES, VERSION, Kind, rows
from tf_repro.verify.reading.rows import (
    Epoch,
    Header,
    KeptWeights,
    OwnSeed,
    Point,
    RandomOp,
    Unrecorded,
)
from tf_repro.verify.running.run import CannotRunError, Ended, read_ended


@dataclass(frozen=True, slots=True)
class Step:
    """One update of the weights; digests are 8 bytes each, one for every variable.

    Attributes:
        series: which optimiser.
        replica: which device of a strategy.
        number: how many updates this optimiser has made, this one included.
        epoch: of `fit`, from 1; 0 for a loop written by hand.
        loss_bits: the loss as it is in memory, in hex; loss_type: NumPy's name of what it is.
        batch: a digest of the batch, examples a digest that does not depend on their order; both
            empty outside of a train_step.
        before: digests of the weights at the beginning of the step's update: those that the step
            before it has left, unless something else has changed them.
        cell: n of the notebook's In[n] that ran; 0 outside of one.
        random: digests of the global generators' states; generators: of those that are objects,
            by class and the user's line.
    """

    series: str
    replica: int
    number: int
    epoch: int
    loss: float
    loss_bits: str
    batch: str
    examples: str
    before: tuple[bytes, ...]
    gradients: tuple[bytes, ...]
    weights: tuple[bytes, ...]
    random: dict[str, str]
    loss_type: str = ""
    generators: dict[str, str] = field(default_factory=dict)
    cell: int = 0


@dataclass
class Run:
    """All that one run left.

    Attributes:
        killed: after which step it was killed, and started again; 0 if it was not.
        went_on: how many of its steps are from before it was started again.
    """

    folder: Path
    ended: Ended
    header: Header = field(default_factory=Header)
    names: dict[str, list[str]] = field(default_factory=dict)
    initial: dict[str, tuple[bytes, ...]] = field(default_factory=dict)
    random_ops: list[RandomOp] = field(default_factory=list)
    own_seeds: list[OwnSeed] = field(default_factory=list)
    entropy: list[str] = field(default_factory=list)
    unrecorded: list[Unrecorded] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    epochs: list[Epoch] = field(default_factory=list)
    points: list[Point] = field(default_factory=list)
    weights: list[KeptWeights] = field(default_factory=list)
    whole: bool = False
    killed: int = 0
    went_on: int = 0


def read(folder: Path) -> Run:
    """Read the record of one run; the last line of a killed one may be cut, and is left out.

    Raises:
        CannotRunError: the folder holds no recorded run, or one of another version.
    """
    run = Run(folder, read_ended(folder))
    for process, path in enumerate(sorted(folder.glob("*.jsonl"))):
        so_far = _SoFar()
        for row in rows(path.read_bytes()):
            if row["kind"] == Kind.HEADER and row["version"] != VERSION:
                raise CannotRunError(
                    f"{path}: version {row['version']} of the record; this tf-repro reads {VERSION}"
                )
            if process and "series" in row:
                row["series"] += f" of process {process + 1}"
            _take(run, row, so_far)
    # The replicas of a strategy take a step together, and write it in whatever order.
    together = itertools.groupby(run.steps, key=lambda step: (step.series, step.number))
    run.steps = [step for _, group in together for step in sorted(group, key=_replica)]
    return run


def _replica(step: Step) -> int:
    return step.replica


@dataclass
class _SoFar:
    """How far a process is.

    Attributes:
        epochs: how many have ended.
        left: series and replica -> the weights that its last step has left.
    """

    epochs: int = 0
    left: dict[tuple[str, int], tuple[bytes, ...]] = field(default_factory=dict)


def _take(run: Run, row: dict[str, Any], so_far: _SoFar) -> None:
    """Add one line to the run."""
    kind = row.pop("kind")
    match kind:
        case Kind.HEADER:
            run.header = run.header or cast(Header, row)
        case Kind.VARIABLES:
            run.names[row["series"]] = row["names"]
        case Kind.INITIAL:
            run.initial[row["series"]] = _digests(row["weights"])
        case Kind.GRAPH:
            # A graph that is traced again has the same ops; so have many functions of tf.data.
            ops = [_random_op(row["series"], op) for op in row["random_ops"]]
            run.random_ops += [op for op in ops if op not in run.random_ops]
        case Kind.DEVICES:
            run.header = cast(Header, {**row, **run.header})
        case Kind.STEP:
            key = row["series"], row["replica"]
            left = so_far.left.get(key, run.initial.get(row["series"], ()))
            run.steps.append(_step(row, so_far.epochs, left))
            so_far.left[key] = run.steps[-1].weights
        case Kind.EPOCH:
            run.epochs.append(Epoch(epoch=row["epoch"], logs=row["logs"]))
            so_far.epochs = int(row["epoch"])
        case Kind.END:
            run.whole = True
        case _:
            _append(run, kind, row)


def _append(run: Run, kind: str, row: dict[str, Any]) -> None:
    """Add a line that stands for itself."""
    match kind:
        case Kind.OWN_SEED:
            run.own_seeds.append(OwnSeed(**row))
        case Kind.UNRECORDED:
            run.unrecorded.append(Unrecorded(**row))
        case Kind.POINT:
            run.points.append(Point(**row))
        case Kind.WEIGHTS:
            run.weights.append(KeptWeights(row["model"], row["file"], tuple(row["names"])))
        case Kind.ENTROPY:
            run.entropy.append(row["place"])


def _random_op(series: str, op: dict[str, Any]) -> RandomOp:
    return RandomOp(series, **{**op, "seeds": tuple(op["seeds"])})


def _step(row: dict[str, Any], epoch: int, left: tuple[bytes, ...]) -> Step:
    return Step(
        series=row["series"],
        replica=row["replica"],
        number=row["step"],
        # A loop written by hand has no batch that we know of, and no epochs.
        epoch=epoch + 1 if row.get("batch") else epoch,
        loss=row["loss"],
        loss_bits=row["loss_bits"],
        batch=row.get("batch", ""),
        examples=row.get("examples", ""),
        before=_digests(row["before"]) if "before" in row else left,
        gradients=_digests(row["gradients"]),
        weights=_digests(row["weights"]),
        random=row["random"],
        loss_type=row.get("loss_type", ""),
        generators=row.get("generators", {}),
        cell=row.get("cell", 0),
    )


def _digests(text: str) -> tuple[bytes, ...]:
    data = base64.b64decode(text)
    return tuple(data[at : at + BYTES] for at in range(0, len(data), BYTES))
