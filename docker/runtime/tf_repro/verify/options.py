"""The options of verify and its like."""

import argparse
import shlex
from pathlib import Path


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
    verify.add_argument(
        "--interrupt",
        type=_at_least(1),
        metavar="N",
        help="one run, and N that are killed at a step and started again: do they end alike?",
    )
    verify.add_argument("--keep", type=Path, help="leave the records in this new folder")
    _add_judging(verify)
    verify.add_argument("program", nargs="+", help="after --: python train.py ...")
    judge = commands.add_parser("judge", help="compare runs that `verify --keep` has left")
    _add_judging(judge)
    judge.add_argument("folders", nargs="+", type=Path, help="a folder of recorded runs, or runs")
    compare = commands.add_parser(
        "compare", help="compare two runs of other machines or days, or two images: what differs?"
    )
    compare.add_argument(
        "--machines",
        action="store_true",
        help="they are what `doctor --json` prints on two machines: will the bits be equal?",
    )
    compare.add_argument(
        "passports",
        nargs=2,
        type=Path,
        help="a passport or a recorded run; or an image's folder of the family, or its golden.json",
    )
    seeds = commands.add_parser(
        "seeds", help="run a program under several seeds: what are its metrics, beyond one's luck?"
    )
    seeds.add_argument("--n", type=_at_least(2), default=10, help="how many seeds (10)")
    seeds.add_argument("--jobs", type=_at_least(1), default=1, help="how many at the same time")
    seeds.add_argument("--keep", type=Path, help="leave the records here, and go on from them")
    seeds.add_argument(
        "--against", type=shlex.split, metavar="COMMAND", help="compare with this one, seed by seed"
    )
    seeds.add_argument("--json", type=Path, help="write the report to this file")
    seeds.add_argument("--html", type=Path, help="write a page to this file")
    seeds.add_argument("program", nargs="+", help="after --: python train.py ...")
    record = commands.add_parser("record", help="run a program once, and leave its record")
    record.add_argument("--artifacts", type=Path, help="keep what it writes below this, too")
    record.add_argument("--keep", type=Path, required=True, help="a new folder")
    record.add_argument(
        "--bisect", type=_at_least(1), metavar="STEP", help="record every operation around it, too"
    )
    record.add_argument(
        "--interrupt",
        type=_at_least(1),
        metavar="N",
        help="the N-th run that is killed; the same command again starts it again",
    )
    record.add_argument("--of", type=Path, help="the record of the run that nobody stops")
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
    parser.add_argument("--badge", type=Path, help="write a badge for shields.io to this file")
    parser.add_argument(
        "--code-quality", type=Path, help="write the line that parts to this file, for GitLab"
    )
    parser.add_argument(
        "--golden",
        type=Path,
        help="a passport whose bits they must end with, or it is said why not",
    )


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
