"""What verify and its like do; exit 0 identical, 1 different, 2 could not run."""

import argparse
import io
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from tf_repro.messages import say
from tf_repro.verify import notebook_notes
from tf_repro.verify.running import workspace
from tf_repro.verify.running.progress import Progress
from tf_repro.verify.running.run import RUN, CannotRunError, last_words, read_ended, record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from tf_repro.verify.verdict import Verdict

IDENTICAL, DIFFERENT, COULD_NOT_RUN = 0, 1, 2
# Pairs of runs that look for the operation: the second only where the first has not found it.
ATTEMPTS = 2
RUNS, PAIR = "run-*", "bisect-"
NO_BISECT = (
    "nothing to bisect: no step was recorded in which the runs part, and what XLA compiles, or "
    "what is outside of training, is no operation that can be seen"
)
COMMANDS = ("verify", "record", "judge", "compare", "seeds")


class Report(NamedTuple):
    """What is told of runs.

    Attributes:
        verdict: over them; of a cluster's, that of the worker which parts first.
        identical: whether all are.
        text: for people.
        whole: for programs.
    """

    verdict: "Verdict"
    identical: bool
    text: str
    whole: "dict[str, Any]"


def run(chosen: argparse.Namespace) -> int:
    """Run one of the commands; return the exit status."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a table's bars, in a locale that has none
    try:
        _see_that_reports_have_a_folder(chosen)
        _read_golden(chosen)
        match chosen.command:
            case "verify":
                return _verify(chosen)
            case "record":
                return _record(chosen)
            case "judge":
                return _judge(chosen)
            case "seeds":
                from tf_repro.verify import seeds  # noqa: PLC0415  # NumPy

                return seeds.run(chosen)
            case _:
                from tf_repro.verify import compare  # noqa: PLC0415  # as above

                return IDENTICAL if compare.run(chosen) else DIFFERENT
    except CannotRunError as error:
        say(str(error))
        return COULD_NOT_RUN


def _see_that_reports_have_a_folder(chosen: argparse.Namespace) -> None:
    """Say before hours of runs what would be said after them."""
    for name in ("json", "html", "passport", "badge", "code-quality"):
        path = getattr(chosen, name.replace("-", "_"), None)
        if path and not path.parent.is_dir():
            raise CannotRunError(f"--{name} {path}: there is no folder {path.parent}")


def _read_golden(chosen: argparse.Namespace) -> None:
    """Put what --golden names in its place: before hours of runs, and before it is written anew."""
    if getattr(chosen, "golden", None):
        from tf_repro.verify.reporting import golden  # noqa: PLC0415  # NumPy

        chosen.golden = golden.read(chosen.golden)


def _judge(chosen: argparse.Namespace) -> int:
    from tf_repro.verify import workers  # noqa: PLC0415  # NumPy

    clusters = workers.below(chosen.folders, (RUNS, f"{PAIR}*"))
    if not clusters:
        return _report(_verdict(_runs_below(chosen.folders), chosen), chosen)
    judged = workers.judge({name: _verdict(its, chosen) for name, its in clusters.items()})
    shown = judged.verdicts[judged.first]
    text = workers.render(judged, colour=_in_colour())
    report = Report(shown, judged.identical, text, workers.as_json(judged))
    return _leave(chosen, report, workers.sentence(judged))


def _verify(chosen: argparse.Namespace) -> int:
    if chosen.keep:
        if chosen.keep.exists():
            raise CannotRunError(f"--keep {chosen.keep}: is there already; name a new folder")
        return _verify_in(chosen.keep.resolve(), chosen)
    with tempfile.TemporaryDirectory(prefix=workspace.TEMPORARY) as folder:
        return _verify_in(Path(folder), chosen)


def _verify_in(folder: Path, chosen: argparse.Namespace) -> int:
    notebook_notes.say_before(chosen.program)
    if chosen.interrupt:
        if chosen.bisect:
            raise CannotRunError(
                "--interrupt and --bisect: one at a time, as they ask of other runs"
            )
        from tf_repro.verify import interrupting  # noqa: PLC0415  # NumPy

        return _report(interrupting.verify(folder, chosen), chosen)
    progress = Progress(chosen.runs)
    folders = [folder / f"run-{number}" for number in range(1, chosen.runs + 1)]
    _record_all(folders, chosen, progress)
    verdict = _verdict(folders, chosen)
    for attempt in range(ATTEMPTS if chosen.bisect else 0):
        step = verdict.bisect_at
        if step is None:
            break
        say(f"one more pair of runs, with every operation around step {step}")
        pair = [folder / f"{PAIR}{2 * attempt + number}" for number in (1, 2)]
        _record_all(pair, chosen, Progress(len(pair)), step)
        verdict = _verdict([*folders, *pair], chosen)
    if chosen.bisect and verdict.worst and verdict.bisected is None:
        verdict.notes.append(NO_BISECT)
    verdict.notes += notebook_notes.after(chosen.program, folders[0])
    return _report(verdict, chosen)


def _record_all(
    folders: Sequence[Path],
    chosen: argparse.Namespace,
    progress: "Progress",
    bisect_at: "int | None" = None,
) -> None:
    def one(number: int) -> None:
        ended = record(
            chosen.program,
            folders[number - 1],
            records=folders[0].parent,
            artifacts=chosen.artifacts,
            bisect_at=bisect_at,
            # Its hooks are left out there.
            audit=chosen.stdout and os.environ.get("TF_REPRO") != "off",
            on_progress=lambda words: progress.show(number, words),
        )
        progress.done(number, ended)

    with ThreadPoolExecutor(chosen.jobs) as pool:
        list(pool.map(one, range(1, len(folders) + 1)))


def _record(chosen: argparse.Namespace) -> int:
    if chosen.keep.exists() and not chosen.interrupt:
        raise CannotRunError(f"--keep {chosen.keep}: is there already; name a new folder")
    notebook_notes.say_before(chosen.program)
    progress = Progress(1)

    def show(words: str) -> None:
        if chosen.progress:
            sys.stdout.write(f"progress: {words}\n")
            sys.stdout.flush()
        else:
            progress.show(1, words)

    if chosen.interrupt:
        from tf_repro.verify import interrupting  # noqa: PLC0415  # NumPy

        return interrupting.record_half(chosen, show)
    ended = record(
        chosen.program,
        chosen.keep.resolve(),
        records=chosen.keep.resolve(),
        artifacts=chosen.artifacts,
        bisect_at=chosen.bisect,
        on_progress=show,
    )
    progress.done(1, ended)
    return ended.exit_status


def _verdict(folders: Sequence[Path], chosen: argparse.Namespace) -> "Verdict":
    """Judge runs; the last two of those that are called bisect-<n> are the extra pair."""
    from tf_repro.verify.reading import records  # noqa: PLC0415  # NumPy
    from tf_repro.verify.verdict import add_pair, judge  # noqa: PLC0415  # NumPy

    if any(read_ended(folder).killed for folder in folders):
        from tf_repro.verify import interrupting  # noqa: PLC0415  # as above

        return interrupting.judge(folders, chosen.tolerance)
    recorded = [records.read(folder) for folder in folders if not _is_extra(folder)]
    if all(one.ended.exit_status for one in recorded) and not any(one.steps for one in recorded):
        first = recorded[0]
        words = last_words(first.folder)
        raise CannotRunError(
            f"{' '.join(first.ended.command)} exited with {first.ended.exit_status}: {words}"
        )
    verdict = judge(recorded, tolerance=chosen.tolerance, with_stdout=chosen.stdout)
    extra = [folder for folder in folders if _is_extra(folder)]
    if len(extra) > 1 and verdict.worst:
        add_pair(verdict, *(records.read(folder) for folder in extra[-2:]))
    return verdict


def _is_extra(folder: Path) -> bool:
    """Return whether it belongs to the extra pair: by its name, or its cluster's."""
    return folder.name.startswith(PAIR) or folder.parent.name.startswith(PAIR)


def _report(verdict: "Verdict", chosen: argparse.Namespace) -> int:
    from tf_repro.verify.reporting import terminal  # noqa: PLC0415  # as above

    text = terminal.render(verdict, colour=_in_colour())
    report = Report(verdict, verdict.identical, text, terminal.as_json(verdict))
    return _leave(chosen, report, terminal.sentence(verdict))


def _in_colour() -> bool:
    # https://no-color.org
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def _leave(chosen: argparse.Namespace, report: Report, said: str) -> int:
    """Print a report, and write those that were asked for; return the exit status.

    Args:
        chosen: what was asked for.
        report: what is shown, of all runs or of the worker that parts first.
        said: the verdict, in a line.
    """
    from tf_repro.verify.reporting import page, passport, pipeline  # noqa: PLC0415  # as above

    verdict, holds = report.verdict, report.identical
    sys.stdout.write(report.text)
    if chosen.golden and holds:  # several results are no one result that could be it
        holds, words = chosen.golden.compare(verdict.runs[0])
        sys.stdout.write(words)
        report.whole["golden"] = {"file": str(chosen.golden.path), "same": holds, "words": words}
        said = said if holds else f"{said}, and NOT the bits of {chosen.golden.path}"
        report.whole["sentence"] = said
    at = report.whole["place"] = pipeline.place(verdict)
    if chosen.badge:
        _write(chosen.badge, json.dumps(pipeline.badge(said, holds=holds)) + "\n")
    if chosen.code_quality:
        marks = pipeline.code_quality(said, at, holds=holds)
        _write(chosen.code_quality, json.dumps(marks, indent=1) + "\n")
    if chosen.json:
        _write(chosen.json, json.dumps(report.whole, indent=1) + "\n")
    if chosen.html:
        _write(chosen.html, page.render(verdict))
    path = chosen.passport or (Path(passport.NAME) if chosen.command == "verify" else None)
    if path:
        verified: dict[str, Any] = {"runs": len(verdict.runs), "verdict": said}
        interruptions = sum(bool(run.killed) for run in verdict.runs)
        if interruptions:
            verified["interruptions"] = interruptions
        try:
            _write(path, json.dumps(passport.of(verdict.runs[0], verified), indent=1) + "\n")
        except CannotRunError as error:
            if chosen.passport:
                raise
            say(f"no passport is left: {error}")
    return IDENTICAL if holds else DIFFERENT


def _runs_below(folders: Sequence[Path]) -> "list[Path]":
    found = [
        path
        for folder in folders
        for path in (
            [folder]
            if (folder / RUN).exists()
            else [*sorted(folder.glob(RUNS)), *sorted(folder.glob(f"{PAIR}*"))]
        )
    ]
    if len(found) < 2:  # noqa: PLR2004  # to compare takes two
        raise CannotRunError(f"{', '.join(map(str, folders))}: fewer than two recorded runs")
    return found


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CannotRunError(f"{path}: {error.strerror}") from error
