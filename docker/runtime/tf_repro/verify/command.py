"""The command lines of verify and its like; exit 0 identical, 1 different, 2 could not run."""

import argparse
import io
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tf_repro.messages import say
from tf_repro.verify.running import workspace
from tf_repro.verify.running.progress import Progress
from tf_repro.verify.running.run import RUN, CannotRunError, last_words, record

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
COMMANDS = ("verify", "record", "judge", "compare")


def add_parsers(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the commands to those of `tf-repro`."""
    verify = commands.add_parser(
        "verify", help="run a program several times, and say where and why the runs part"
    )
    verify.add_argument("--runs", type=_at_least(2), default=3, help="how many (3)")
    verify.add_argument("--jobs", type=_at_least(1), default=1, help="how many at the same time")
    verify.add_argument("--artifacts", type=Path, help="compare what they write below this, too")
    verify.add_argument(
        "--bisect", action="store_true", help="if they part, find the operation by one more pair"
    )
    verify.add_argument("--keep", type=Path, help="leave the records in this new folder")
    _add_judging(verify)
    verify.add_argument("program", nargs="+", help="after --: python train.py ...")
    judge = commands.add_parser("judge", help="compare runs that `verify --keep` has left")
    _add_judging(judge)
    judge.add_argument("folders", nargs="+", type=Path, help="a folder of recorded runs, or runs")
    compare = commands.add_parser(
        "compare", help="compare two runs of different machines or days: what differs around them?"
    )
    compare.add_argument("passports", nargs=2, type=Path, help="a passport, or a recorded run")
    record = commands.add_parser("record", help="run a program once, and leave its record")
    record.add_argument("--artifacts", type=Path, help="keep what it writes below this, too")
    record.add_argument("--keep", type=Path, required=True, help="a new folder")
    record.add_argument(
        "--bisect", type=_at_least(1), metavar="STEP", help="record every operation around it, too"
    )
    record.add_argument("--progress", action="store_true", help="say on stdout how far it is")
    record.add_argument("program", nargs="+", help="after --: python train.py ...")


def _add_judging(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--tolerance", type=_tolerance, default=0.0, help="of losses, metrics and weights (0)"
    )
    parser.add_argument("--stdout", action="store_true", help="what they print counts, too")
    parser.add_argument("--json", type=Path, help="write the report to this file")
    parser.add_argument("--html", type=Path, help="write a page to this file")
    parser.add_argument("--passport", type=Path, help="write the passport to this file")


def run(chosen: argparse.Namespace) -> int:
    """Run one of the commands; return the exit status."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a table's bars, in a locale that has none
    try:
        match chosen.command:
            case "verify":
                return _verify(chosen)
            case "record":
                return _record(chosen)
            case "judge":
                return _judge(chosen)
            case _:
                return _compare(chosen)
    except CannotRunError as error:
        say(str(error))
        return COULD_NOT_RUN


def _judge(chosen: argparse.Namespace) -> int:
    from tf_repro.verify import workers  # noqa: PLC0415  # NumPy

    clusters = workers.below(chosen.folders, (RUNS, f"{PAIR}*"))
    if not clusters:
        return _report(_verdict(_runs_below(chosen.folders), chosen), chosen)
    judged = workers.judge({name: _verdict(its, chosen) for name, its in clusters.items()})
    shown = judged.verdicts[judged.first]
    text = workers.render(judged, colour=_in_colour())
    _leave(chosen, shown, text, workers.as_json(judged), workers.sentence(judged))
    return IDENTICAL if judged.identical else DIFFERENT


def _verify(chosen: argparse.Namespace) -> int:
    if chosen.keep:
        if chosen.keep.exists():
            raise CannotRunError(f"--keep {chosen.keep}: is there already; name a new folder")
        return _verify_in(chosen.keep.resolve(), chosen)
    with tempfile.TemporaryDirectory(prefix=workspace.TEMPORARY) as folder:
        return _verify_in(Path(folder), chosen)


def _verify_in(folder: Path, chosen: argparse.Namespace) -> int:
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
    if chosen.keep.exists():
        raise CannotRunError(f"--keep {chosen.keep}: is there already; name a new folder")
    progress = Progress(1)

    def show(words: str) -> None:
        if chosen.progress:
            sys.stdout.write(f"progress: {words}\n")
            sys.stdout.flush()
        else:
            progress.show(1, words)

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
    _leave(chosen, verdict, text, terminal.as_json(verdict), terminal.sentence(verdict))
    return IDENTICAL if verdict.identical else DIFFERENT


def _in_colour() -> bool:
    # https://no-color.org
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def _leave(
    chosen: argparse.Namespace, verdict: "Verdict", text: str, whole: "dict[str, Any]", said: str
) -> None:
    """Print a report, and write those that were asked for."""
    from tf_repro.verify.reporting import page, passport  # noqa: PLC0415  # as above

    sys.stdout.write(text)
    if chosen.json:
        _write(chosen.json, json.dumps(whole, indent=1) + "\n")
    if chosen.html:
        _write(chosen.html, page.render(verdict))
    path = chosen.passport or (Path(passport.NAME) if chosen.command == "verify" else None)
    if path:
        verified = {"runs": len(verdict.runs), "verdict": said}
        try:
            _write(path, json.dumps(passport.of(verdict.runs[0], verified), indent=1) + "\n")
        except CannotRunError as error:
            if chosen.passport:
                raise
            say(f"no passport is left: {error}")


def _compare(chosen: argparse.Namespace) -> int:
    from tf_repro.verify.reading import records  # noqa: PLC0415  # as above
    from tf_repro.verify.reporting import passport, terminal  # noqa: PLC0415  # as above
    from tf_repro.verify.verdict import judge  # noqa: PLC0415  # as above

    one, other = (passport.read(path) for path in chosen.passports)
    text, same = passport.compare(one, other)
    sys.stdout.write(text)
    if all(path.is_dir() for path in chosen.passports):
        recorded = [records.read(path) for path in chosen.passports]
        verdict = judge(recorded, tolerance=0.0, with_stdout=False)
        sys.stdout.write("\n" + terminal.render(verdict))
        same = verdict.identical
    return IDENTICAL if same else DIFFERENT


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


def _at_least(least: int) -> "type[int]":
    def whole(text: str) -> int:
        if not text.isdigit() or int(text) < least:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {least} up")
        return int(text)

    return whole  # type: ignore[return-value]  # argparse calls it, that is all


def _tolerance(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 up")
    return number
