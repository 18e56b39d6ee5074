"""`reproducible.check`: a value of a test against the one in the golden file."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tf_repro import environment
from tf_repro.pytest_plugin import golden_file, inner, values
from tf_repro.pytest_plugin.golden_file import GoldenError
from tf_repro.pytest_plugin.values import Leaf, ValueTypeError
from tf_repro.recording import surroundings
from tf_repro.verify.reporting import golden

# What is kept of the surroundings: what explains other bits, and not what the whole image says.
MADE = ("image", "locks", "mode", "seed", "reach", "packages", "python", "cpu", "gpus")


class Reproducible:
    """What the fixture gives."""

    def __init__(
        self, *, node: pytest.Item, update: bool, entries: "Path | None", updated: "set[str]"
    ) -> None:
        self._node, self._update, self._entries, self._updated = node, update, entries, updated
        self._path = golden_file.beside(node.path)
        root = node.config.rootpath
        below = self._path.is_relative_to(root)
        # A run of a marked test is in a copy, whose own place tells nobody anything.
        self._shown = self._path.relative_to(root) if below else self._path
        # The test, without its file: that is the golden file's own name.
        self._test = node.nodeid.partition("::")[2]
        self._checked: set[str] = set()

    def check(self, name: str, value: Any) -> None:
        """Fail unless a value is, to the bit, the one in the golden file beside the test.

        Args:
            name: of the value, once a test.
            value: numbers, texts, bytes, arrays, tensors, models, and lists and dicts of these.
        """
        __tracebackhide__ = True
        try:
            failed = self._compare(name, value)
        except (GoldenError, ValueTypeError) as error:
            failed = f"reproducible.check({name!r}): {error}"
        if failed:
            pytest.fail(failed, pytrace=False)

    def _compare(self, name: str, value: Any) -> str:
        if not isinstance(name, str) or not name:
            raise ValueTypeError(f"a name is a text that is not empty, not {name!r}")
        if name in self._checked:
            raise ValueTypeError("this test has checked a value of that name already")
        self._checked.add(name)
        found = dict(values.leaves(value))
        _record(name, found)
        if self._update:
            self._write(name, found)
            return ""
        kept = golden_file.entry(self._path, self._test, name)
        if kept is None:
            raise GoldenError(
                f"{self._shown} has no such value of {self._test}; pytest --golden-update writes it"
            )
        lines = list(_differences(kept["values"], found))
        if not lines:
            return ""
        head = f"reproducible.check({name!r}): NOT the golden bits of {self._shown}"
        return "\n".join([head, *lines, *_why(kept["made"])])

    def _write(self, name: str, found: "Mapping[str, Leaf]") -> None:
        entry = {"values": {key: leaf.as_json for key, leaf in found.items()}, "made": _made()}
        if self._entries:
            row = {"test": self._test, "name": name, "golden": entry}
            inner.write(self._entries, inner.ENTRY, row)
            return
        golden_file.put(self._path, self._test, name, entry)
        self._updated.add(str(self._path))


def _record(name: str, found: "Mapping[str, Leaf]") -> None:
    """Have the runs of a marked test compared in it, too."""
    if environment.RECORD in os.environ:
        from tf_repro.recording import writer  # noqa: PLC0415  # under verify alone
        from tf_repro.recording.format import Kind  # noqa: PLC0415  # as above

        for key, leaf in found.items():
            writer.write(Kind.POINT, name=f"{name} {key}".strip(), n=1, digest=leaf.digest)


def _made() -> "dict[str, Any]":
    around = surroundings.describe()
    return {name: around[name] for name in MADE}


def _differences(
    kept: "Mapping[str, Mapping[str, Any]]", found: "Mapping[str, Leaf]"
) -> Iterator[str]:
    for key in dict.fromkeys([*kept, *found]):
        label = f"  {key}: " if key else "  "
        if key not in found or key not in kept:
            yield f"{label}{'is not there now' if key in kept else 'was not there'}"
        elif words := values.difference(kept[key], found[key]):
            yield label + words


def _why(made: "Mapping[str, Any]") -> Iterator[str]:
    """Ask the surroundings before the code is blamed."""
    now = _made()
    reasons = list(golden.reasons({"environment": made}, {"environment": now}))
    if reasons:
        yield "what explains it, the likeliest first:"
        yield from (f"  {one}" for one in reasons)
    else:
        yield "nothing around it explains that: it is the code, or its data"
    yield "if that is meant, pytest --golden-update writes the new ones"
