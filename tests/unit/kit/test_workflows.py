"""CI elsewhere: the Makefile's own verbs, over the whole family, with pinned actions."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts import matrix
from scripts.places import REPO

WORKFLOWS = sorted((REPO / ".github/workflows").glob("*.yml"))
GITLAB = REPO / ".gitlab-ci.yml"
# A variable of make's is set by its name before the verb or after it.
MAKE = re.compile(r"\bmake\b(?P<words>[^|;&\n]*)")
MAKEFILE = (REPO / "Makefile").read_text()
TARGETS = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE))
VARIABLES = set(re.findall(r"^([A-Z_]+) \?=", MAKEFILE, re.MULTILINE))


def texts(node: Any) -> Iterator[str]:  # noqa: ANN401 - YAML
    """Yield every command of a job: of GitHub's `run`, or of GitLab's `script`."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key in {"run", "script", "before_script"}:
                yield from [value] if isinstance(value, str) else value
            else:
                yield from texts(value)
    elif isinstance(node, list):
        for item in node:
            yield from texts(item)


class Loader(yaml.SafeLoader):
    """GitLab's YAML, which has a tag of its own."""


def _reference(loader: Loader, node: yaml.SequenceNode) -> object:
    return loader.construct_sequence(node)


Loader.add_constructor("!reference", _reference)


def load(path: Path) -> Any:  # noqa: ANN401 - YAML
    return yaml.load(path.read_text(), Loader)  # noqa: S506 - a SafeLoader with one tag more


@pytest.mark.parametrize("path", [*WORKFLOWS, GITLAB], ids=lambda path: path.name)
def test_every_make_in_it_is_a_verb_of_ours(path: Path) -> None:
    found = []
    for text in texts(load(path)):
        # What is installed is a program of that name.
        for made in MAKE.finditer(re.sub(r"apt-get install.*", "", text)):
            found.append(made["words"])
            for word in shlex.split(made["words"]):
                name, assigned, _ = word.partition("=")
                assert name in (VARIABLES if assigned else TARGETS), made.group()
    assert found


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_actions_are_pinned_by_commit_and_nobody_has_more_rights_than_he_needs(path: Path) -> None:
    used = re.findall(r"uses: (.*)", path.read_text())
    assert used
    for action in used:
        assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action), action
    workflow = load(path)
    assert workflow["permissions"] == {}
    for job in workflow["jobs"].values():
        writes = {right for right, kind in job["permissions"].items() if kind != "read"}
        assert not writes or "make" not in str(list(texts(job)))


def test_they_take_the_whole_family() -> None:
    family = list(matrix.load().image)
    github = load(REPO / ".github/workflows/images.yml")["jobs"]
    for job in ("build", "publish"):
        assert github[job]["strategy"]["matrix"]["image"] == family
    (gitlab,) = load(GITLAB)[".family"]["parallel"]["matrix"]
    assert gitlab["IMAGE"] == family
