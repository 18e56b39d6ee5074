"""`tf-repro compare --machines`: can two machines give the same bits, by what doctor says there?"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tf_repro.doctor.command import NO, OTHER_PROCESSORS, PARTLY, YES, Line, rendered
from tf_repro.machine import cpu
from tf_repro.messages import say
from tf_repro.verify.command import COULD_NOT_RUN, DIFFERENT, IDENTICAL

# What both were told, and the variable that tells it.
SETTINGS = {"mode": "TF_REPRO", "seed": "TF_REPRO_SEED", "reach": "TF_REPRO_REACH"}
# What a report of doctor's has, of all that is looked at here.
_PARTS = {"machine": dict, "guarantees": list}
Report = dict[str, Any]


class NoReportError(Exception):
    """A file is no report of doctor's; the message is one line for the user."""


def run(paths: "list[Path]") -> int:
    """Print what holds between two machines, and what would have to be set.

    Args:
        paths: two files that `tf-repro doctor --json` has printed.

    Returns:
        0 where the same bits can be expected, 1 where not, 2 where a file is no report.
    """
    try:
        one, other = (_read(path) for path in paths)
    except NoReportError as error:
        say(str(error))
        return COULD_NOT_RUN
    lines = list(compare(one, other))
    sys.stdout.write("\n".join([*rendered(lines), ""]))
    return DIFFERENT if any(given == NO for _, given, _ in lines) else IDENTICAL


def _read(path: Path) -> Report:
    try:
        report: Report = json.loads(path.read_text())
        wrong = [part for part, kind in _PARTS.items() if not isinstance(report[part], kind)]
    except (OSError, ValueError, KeyError, TypeError) as error:
        wrong = [str(error)]
        report = {}
    if wrong:
        said = f"{path}: not what `tf-repro doctor --json` prints ({', '.join(wrong)})"
        raise NoReportError(said)
    return report


def compare(one: Report, other: Report) -> Iterator[Line]:
    """Yield what has to be the same, whether it is, and what to do.

    Args:
        one: what doctor reports on a machine.
        other: what it reports on another.
    """
    a, b = one["machine"], other["machine"]
    yield _same("the image's packages", a.get("locks"), b.get("locks"), "run the same image")
    for what, variable in SETTINGS.items():
        yield _same(what, one.get(what), other.get(what), f"set {variable} to the same on both")
    yield from _variables(a.get("environment", {}), b.get("environment", {}))
    yield _processors(one, other)
    what = "GPUs and their drivers"
    yield _same(what, a.get("gpus"), b.get("gpus"), "bits of a GPU hold on its model and driver")
    yield from _not_given(one, other)


def _same(what: str, one: object, other: object, advice: str) -> Line:
    if one == other:
        return what, YES, _short(one)
    return what, NO, f"{_short(one)} and {_short(other)}: {advice}"


def _short(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {str(one)[:16]}" for name, one in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _variables(one: "dict[str, str]", other: "dict[str, str]") -> Iterator[Line]:
    for name in sorted({*one, *other} - {*SETTINGS.values()}):
        if one.get(name) != other.get(name):
            a, b = (values.get(name, "not set") for values in (one, other))
            yield name, NO, f"{a} and {b}: set it to the same on both"


def _processors(first: Report, second: Report) -> Line:
    what = "processors"
    one, other = first["machine"], second["machine"]
    named = " and ".join(dict.fromkeys(str(machine.get("cpu")) for machine in (one, other)))
    alike = all(one.get(name) == other.get(name) for name in ("cpu", "cpu_flags"))
    if "machine" in (one.get("reach"), other.get("reach")):
        if alike and one.get("cpus") == other.get("cpus"):
            return what, YES, f"{named}, {one.get('cpus')} CPUs"
        cpus = f"{one.get('cpus')} and {other.get('cpus')} CPUs"
        return what, NO, f"{named}, {cpus}: set TF_REPRO_REACH=anywhere on both"
    if alike:
        return what, YES, named
    for machine in (one, other):
        if lacks := cpu.lacking(frozenset(machine.get("cpu_flags", ()))):
            return what, NO, f"{machine.get('cpu')}: no {lacks}"
    partly = _why_partly(first) or _why_partly(second)
    return (what, PARTLY, f"{named}: {partly}") if partly else (what, YES, named)


def _why_partly(report: Report) -> str:
    """Return why a machine gives the bits of other processors in part, empty where in full."""
    for row in report["guarantees"]:
        if row.get("guarantee") == OTHER_PROCESSORS:
            return "" if row.get("given") == YES else str(row.get("reason"))
    return "doctor did not say whether TensorFlow follows them"


def _not_given(one: Report, other: Report) -> Iterator[Line]:
    """Yield what doctor does not give on one of them, other than what is compared already."""
    seen = set()
    for which, report in (("the first", one), ("the second", other)):
        for row in report["guarantees"]:
            what, reason = row.get("guarantee"), row.get("reason")
            about_machines = "other" in str(what) and "bits" in str(what)
            if row.get("given") == NO and not about_machines and what not in seen:
                seen.add(what)
                yield str(what), PARTLY, f"not on {which}: {reason}"
