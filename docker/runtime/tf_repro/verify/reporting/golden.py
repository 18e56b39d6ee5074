"""The golden passport: the bits that a training must end with, and who is to blame if it does not.

It is a passport that somebody has committed. Where a run ends elsewhere, the surroundings are asked
first, from what promises no equal bits at all down to what hardly moves one, and the code last.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tf_repro.machine import cpu
from tf_repro.verify.reading.records import Run
from tf_repro.verify.reporting import passport
from tf_repro.verify.running.run import CannotRunError

# What of the surroundings explains other bits, in the order in which it is asked, and the words.
EXPLAINS = (
    ("command", "another command"),
    ("environment.seed", "another seed"),
    ("environment.mode", "another mode"),
    ("environment.reach", "another reach"),
    ("environment.hashes", "other hashes of str"),
    ("environment.image", "another image"),
    ("environment.locks", "other packages in the image"),
    ("environment.packages", "other versions of libraries"),
    ("environment.python", "another Python"),
    ("environment.devices", "other devices"),
    ("environment.threads", "other numbers of threads"),
    ("environment.environment", "other variables"),
    ("environment.gpus", "another GPU or driver"),
    ("environment.cpu", "another processor"),
    ("environment.cpu_flags", "a processor with other features"),
)
# What nothing follows in the reach `anywhere`, wherever both can have it.
_OF_PROCESSORS = ("environment.cpu", "environment.cpu_flags")
# The host tells it, where there is one that does.
_TOLD = ("environment.image",)
# A value that is longer is told by what went from it and what came, in characters.
LONG = 120


@dataclass(frozen=True)
class Golden:
    """What runs are to end with.

    Attributes:
        path: where it was read.
        passport: what it says.
    """

    path: Path
    passport: "dict[str, Any]"

    def compare(self, run: Run) -> tuple[bool, str]:
        """Return whether a run ends with these bits, and lines that say so, or what explains it.

        Args:
            run: one of several that are identical.
        """
        ours = passport.of(run)
        differing = passport.differing(*passport.results_of_both(self.passport, ours))
        if not differing:
            return True, f"\n{self.path}: the same bits\n"
        lines = [f"{self.path}: NOT the same bits", *differing, *_why(self.passport, ours)]
        return False, "\n" + "\n".join(lines) + "\n"


def read(path: Path) -> Golden:
    """Read a golden passport.

    Raises:
        CannotRunError: it is none, one of another version, or one that tells of no bits.
    """
    found = passport.read(path)
    if not any(found["results"].get(name) for name in ("steps", "final_weights")):
        raise CannotRunError(f"{path}: no training was recorded, so there are no bits to end with")
    return Golden(path, found)


def _why(golden: "dict[str, Any]", ours: "dict[str, Any]") -> Iterator[str]:
    around, now = golden["environment"], ours["environment"]
    explained = [line for line in passport.promise(around, now) if line]
    explained = explained or list(reasons(golden, ours))
    if explained:
        yield "what explains it, the likeliest first:"
        yield from (f"  {one}" for one in explained)
    else:
        yield _code(around, now)


def reasons(golden: "Mapping[str, Any]", ours: "Mapping[str, Any]") -> Iterator[str]:
    """Yield what differs around two results and explains other bits, the likeliest first.

    Args:
        golden: a passport, or as much of one as tells the surroundings.
        ours: another.
    """
    one, other = passport.around(golden), passport.around(ours)
    as_one = all(_is_as_any(each["environment"]) for each in (golden, ours))
    for name, words in EXPLAINS:
        if as_one and name in _OF_PROCESSORS:
            continue
        keys = [
            key
            for key in dict.fromkeys([*one, *other])
            if (key == name or key.startswith(f"{name}.")) and one.get(key) != other.get(key)
        ]
        if name in _TOLD:
            keys = [key for key in keys if one.get(key) and other.get(key)]
        for key in keys:
            which = key.removeprefix(name).lstrip(".")
            moved = _moved(one.get(key, "(none)"), other.get(key, "(none)"))
            yield f"{words}: {which}{' ' if which else ''}{moved}"


def _is_as_any(environment: "Mapping[str, Any]") -> bool:
    """Return whether a run has computed as on any other processor."""
    flags = frozenset(environment.get("cpu_flags", ()))
    return environment.get("reach") == "anywhere" and bool(flags) and not cpu.lacking(flags)


def _moved(one: str, other: str) -> str:
    """Return what a value was and is; of a long list, what went and what came.

    >>> _moved("1", "2")
    '1 -> 2'
    """
    if max(len(one), len(other)) <= LONG:
        return f"{one} -> {other}"
    before, now = one.split(), other.split()
    gone = [f"-{word}" for word in before if word not in now]
    come = [f"+{word}" for word in now if word not in before]
    return " ".join([*gone, *come]) or "in another order"


def _code(one: "dict[str, Any]", other: "dict[str, Any]") -> str:
    before, now = one.get("revision"), other.get("revision")
    commits = f", from commit {before} to {now}" if before and now and before != now else ""
    return f"nothing around it explains that: it is the code, or its data{commits}"
