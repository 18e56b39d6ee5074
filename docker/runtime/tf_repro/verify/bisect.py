"""The operation at which two runs part: the first whose inputs are equal and whose outputs are not.

Where no such operation is, the value came in from elsewhere: from Python or NumPy, from a variable
that something unseen has changed, or from a function that XLA has compiled. That is said, too.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from tf_repro.recording.format import step_file
from tf_repro.verify import cause
from tf_repro.verify.comparing import steps
from tf_repro.verify.comparing.steps import Pair, Stage
from tf_repro.verify.comparing.ulps import Apart, apart
from tf_repro.verify.kinds import CauseKind
from tf_repro.verify.reading import operations
from tf_repro.verify.reading.operations import Execution, Key, Trace
from tf_repro.verify.reading.records import Run
from tf_repro.verify.running.run import last_words

_PYTHON = {"PyFunc", "PyFuncStateless", "EagerPyFunc"}
_ITERATORS = {"IteratorGetNext", "IteratorGetNextAsOptional", "OptionalGetValue"}
_VARIABLES = {"ReadVariableOp", "ResourceGather", "ResourceGatherNd"}
_ENTRIES = {"Placeholder", "PlaceholderWithDefault", "Const", "_Arg", "Arg"}
_CALLS = {
    *("PartitionedCall", "StatefulPartitionedCall", "If", "StatelessIf", "While", "StatelessWhile"),
    *("Case", "StatelessCase", "SymbolicGradient", "RemoteCall"),
}
# The rows of steps on either side: a traced operation may end in the step after its own.
AROUND = 1
ANY = 1 << 30


@dataclass(frozen=True)
class Found:
    """What was found.

    Attributes:
        kind: what it tells of the cause.
        step: of the record, where this pair of runs parted; 0 if it did not.
        type, name, place: of the operation; name is empty for an eager one.
        apart: how far its outputs are, where both were kept.
    """

    kind: CauseKind
    words: str
    step: int = 0
    type: str = ""
    name: str = ""
    place: str = ""
    apart: "Apart | None" = None

    @property
    def sentence(self) -> str:
        """All of it in one line."""
        name = f" ({self.name})" if self.name not in {"", self.type} else ""
        where = f" at {self.place}" if self.place else ""
        return f"{self.type}{name}{where}: {self.words}" if self.type else self.words


def ordinal(run: Run, first: "steps.Difference | None") -> int:
    """Return the step, counted over all optimisers from 1, that operations are recorded around."""
    if first is None or first.stage == Stage.INITIAL:
        return 1
    if first.index < 0:
        taken = [step for step in run.steps if step.epoch <= first.epoch] or run.steps
    else:
        taken = list(run.steps[: first.index + 1])
    return max(sum(step.replica == 0 for step in taken), 1)


def find(one: Run, other: Run, pair: Pair) -> Found:
    """Return where two runs of the extra pair part, judged by themselves."""
    first = pair.first
    broken = next((run for run in (one, other) if run.ended.exit_status and not run.whole), None)
    if broken and (first is None or first.index < 0):
        return Found(
            CauseKind.NOTHING, f"a run of the extra pair failed: {last_words(broken.folder)}"
        )
    if first is None or first.stage in {Stage.EXIT, Stage.COUNT}:
        racing = cause.races(one, other)
        if first is None and racing:
            why = "recording takes operations in their order, and in that pair nothing differs"
            return Found(CauseKind.RACE, f"{why}; {racing}")
        said = "the extra pair of runs is identical" if first is None else steps.describe(first)
        return Found(
            CauseKind.NOTHING, f"{said}: what parts the runs comes by chance, so try again"
        )
    step = ordinal(one, first)
    # A metric of an epoch, or a point of the user's, may come from any step of those recorded.
    around = AROUND if first.index >= 0 or first.stage == Stage.INITIAL else ANY
    ours, theirs = (operations.read(run.folder, step, around) for run in (one, other))
    if not ours.executions:
        return Found(CauseKind.NOTHING, "the step was not among those recorded, so try again", step)
    return _Search(ours, theirs, step).run(in_pipeline=first.stage == Stage.BATCH)


def measured(one: Run, other: Run, first: steps.Difference) -> steps.Difference:
    """Return a pair's first difference with how far its first tensor is apart, if that was kept."""
    what = {Stage.GRADIENTS: "gradients", Stage.WEIGHTS: "weights"}.get(first.stage)
    names = one.names.get(first.series, [])
    if what is None or not first.tensors or first.tensors[0] not in names:
        return first
    number = f"{names.index(first.tensors[0]):04d}"
    values = []
    for run in (one, other):
        file = run.folder / step_file(first.series, what)
        if file.exists():
            with np.load(file) as kept:
                values += [kept[number]] if number in kept else []
    if len(values) != 2 or values[0].shape != values[1].shape:  # noqa: PLR2004  # a pair
        return first
    return replace(first, apart=apart(*values))


class _Search:
    """One search.

    Attributes:
        late: what is said only where nothing better is found.
        taint: digests of one run that the other has not, where they came from an operation.
    """

    def __init__(self, ours: Trace, theirs: Trace, step: int) -> None:
        self.ours, self.theirs, self.step = ours, theirs, step
        self.late: Found | None = None
        self.taint: set[str] = set()

    def run(self, *, in_pipeline: bool) -> Found:
        """Search the functions of tf.data if a batch differs, then the step, then around it."""
        keys = sorted(self.ours.executions, key=lambda key: self.ours.executions[key].order)
        mine = self.ours.executions
        racing = self._racing()
        piped = [
            key
            for key in keys
            if mine[key].operation.pipeline and mine[key].operation.graph not in racing
        ]
        rest = [key for key in keys if not mine[key].operation.pipeline]
        at_step = [key for key in rest if mine[key].step == self.step]
        before = [key for key in rest if mine[key].step < self.step]
        groups: list[Iterable[Key]] = [*([piped] if in_pipeline else []), at_step, before]
        for group in groups:
            found = self._first(group)
            if found:
                return found
        return self.late or Found(
            CauseKind.NOTHING, "every operation that can be seen is equal in both runs", self.step
        )

    def _racing(self) -> set[str]:
        """Return the functions of tf.data that got the same arguments in another order.

        Without determinism their calls run side by side, and the n-th is not the n-th.
        """
        seen: dict[tuple[str, int], tuple[list[object], list[object]]] = {}
        for side, made in enumerate((self.ours, self.theirs)):
            for one in made.executions.values():
                operation = one.operation
                if operation.pipeline and operation.type in _ENTRIES and not operation.inputs:
                    key = operation.graph, operation.number
                    seen.setdefault(key, ([], []))[side].append(one.outputs)
        return {
            graph
            for (graph, _), (a, b) in seen.items()
            if a != b and sorted(map(str, a)) == sorted(map(str, b))
        }

    def _first(self, keys: Iterable[Key]) -> "Found | None":
        for key in keys:
            one, other = self.ours.executions[key], self.theirs.executions.get(key)
            if other is None:
                continue
            found = self._look(key, one, other)
            if found and found.kind == CauseKind.COMPILED:
                self.late = self.late or found
            elif found:
                return found
        return None

    def _look(self, key: Key, one: Execution, other: Execution) -> "Found | None":
        """Return what one execution tells; None if nothing, or if its inputs explain it."""
        mine, yours = one.operation, other.operation
        if "Handle" in mine.type:
            self.taint.update(one.outputs)
            return None  # an address, or a name
        if (mine.type, mine.name) != (yours.type, yours.name) and not _is_call(mine.type):
            words = f"the other run has {yours.type} {yours.name} there: their graphs are different"
            return self._found(CauseKind.NOTHING, words, one, other)
        given = [a for a, b in zip(one.inputs, other.inputs, strict=False) if a != b]
        explained = self._inputs_differ(key, one) or any(a in self.taint for a in given)
        self.taint.update(a for a, b in zip(one.outputs, other.outputs, strict=False) if a != b)
        self.taint.update(given)
        return None if explained else self._unexplained(one, other, given=bool(given))

    def _unexplained(self, one: Execution, other: Execution, *, given: bool) -> "Found | None":
        mine, yours = one.operation, other.operation
        if mine.seeds != yours.seeds:
            words = (
                f"its seed is {_seed(mine.seeds)} in one run and {_seed(yours.seeds)} in the "
                "other: a seed that depends on the time, or on chance"
            )
            return self._found(CauseKind.STREAM, words, one, other)
        if given or mine.attributes != yours.attributes:
            words = "it is given another value by Python or NumPy"
            return self._found(CauseKind.VALUE, words, one, other)
        if one.outputs == other.outputs:
            return None
        return self._found(*_kind(mine.type, mine.name), one, other)

    def _inputs_differ(self, key: Key, one: Execution) -> bool:
        for number, place in one.operation.inputs:
            source = "t", number, key[2]
            ours, theirs = self.ours.executions.get(source), self.theirs.executions.get(source)
            if (
                ours
                and theirs
                and ours.outputs[place : place + 1] != theirs.outputs[place : place + 1]
            ):
                return True
        return False

    def _found(self, kind: CauseKind, words: str, one: Execution, other: Execution) -> Found:
        operation = one.operation
        return Found(
            kind, words, self.step, operation.type, operation.name, operation.place,
            _how_far(one, other),
        )  # fmt: skip


def _how_far(one: Execution, other: Execution) -> "Apart | None":
    """Return how far the first output that differs is apart, where both values were kept."""
    for a, b, x, y in zip(one.outputs, other.outputs, one.values, other.values, strict=False):
        if a == b:
            continue
        ours, theirs = operations.value(one.file, x), operations.value(other.file, y)
        if (
            ours is None
            or theirs is None
            or (ours.dtype, ours.shape) != (theirs.dtype, theirs.shape)
        ):
            return None
        return apart(ours, theirs)
    return None


def _kind(op_type: str, name: str) -> tuple[CauseKind, str]:
    """Return the kind of an operation whose inputs are equal and whose outputs are not."""
    equal = "its inputs are equal in both runs, and its outputs are not"
    if is_random(op_type):
        return CauseKind.STREAM, f"{equal}: it draws random numbers"
    table = (
        (
            _is_call(op_type),
            CauseKind.COMPILED,
            f"{equal}: XLA has compiled it, and nobody can look inside",
        ),
        (
            op_type in _ITERATORS,
            CauseKind.DATA,
            "the next batch is another one: see what feeds the dataset",
        ),
        (
            op_type in _VARIABLES,
            CauseKind.VARIABLE,
            "it has another value, and nothing seen has changed it",
        ),
        (
            op_type in _ENTRIES,
            CauseKind.VALUE,
            f"the value that comes in as {name or op_type} differs",
        ),
        (
            op_type in _PYTHON,
            CauseKind.PYTHON,
            f"{equal}: the function draws random numbers, or reads a clock",
        ),
    )
    return next(((kind, words) for holds, kind, words in table if holds), (CauseKind.KERNEL, equal))


def is_random(op_type: str) -> bool:
    """Tell whether an operation of a type draws random numbers."""
    words = ("Random", "Multinomial", "CandidateSampler", "Shuffle")
    return any(word in op_type for word in words) or op_type.startswith(
        ("StatefulUniform", "StatefulStandardNormal", "Rng", "StatelessTruncatedNormal")
    )


def _is_call(op_type: str) -> bool:
    return op_type in _CALLS or op_type.startswith("__")


def _seed(text: str) -> str:
    """Return the seed of an op without those that are not set.

    >>> _seed("[0, 7]"), _seed("[0, 0]")
    ('7', 'none')
    """
    return (
        " ".join(part for part in text.strip("[]").split(", ") if part not in {"0", ""}) or "none"
    )
