"""The pages keep what they promise: no dead link, no page that nobody finds, nothing unsaid."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator

import pytest

from scripts.places import REPO
from tests.pages import Page, is_elsewhere, pages, resolved, templates

README_LINES = 170
RUNTIME = REPO / "docker" / "runtime"
# A variable of ours; what is after the prefix of a family of them is the user's own.
OURS = re.compile(r"TF_REPRO(_[A-Z]+)*_?")


def broken(page: Page) -> Iterator[str]:
    """Yield the links of a page that name nothing in the repository."""
    for link in page.links():
        if is_elsewhere(link):
            continue
        path, anchor = resolved(page, link)
        is_there = path.is_relative_to(REPO) and path.exists()
        if not is_there or (anchor and anchor not in Page(path).anchors):
            yield link


@pytest.mark.parametrize("page", [*pages(), *templates()], ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Page) -> None:
    assert list(broken(page)) == []


def test_every_page_is_found_from_the_readme() -> None:
    known = {page.path: page for page in pages()}
    found, left = set(), [REPO / "README.md"]
    while left:
        path = left.pop()
        if path in found or path not in known:
            continue
        found.add(path)
        links = (link for link in known[path].links() if not is_elsewhere(link))
        left += [resolved(known[path], link)[0] for link in links]
    assert sorted(page.name for path, page in known.items() if path not in found) == []


def test_the_readme_is_for_newcomers() -> None:
    assert len((REPO / "README.md").read_text().splitlines()) <= README_LINES


def variables() -> set[str]:
    """Return the variables of ours that the runtime names, in code and not in words."""
    return {
        node.value
        for file in RUNTIME.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and OURS.fullmatch(node.value)
    }


def test_every_variable_of_the_runtime_is_on_a_page() -> None:
    assert {"TF_REPRO", "TF_REPRO_SEED", "TF_REPRO_ASLR"} <= variables()
    # A prefix of several, as in `TF_REPRO_…`, stands before the dots.
    said = {
        word.rstrip("…")
        for page in pages()
        for block in page.tokens
        for one in block.children or ()
        if one.type == "code_inline"
        for word in re.split(r"[ =]", one.content)
    }
    assert sorted(variables() - said) == []


def test_every_verb_of_make_help_is_on_a_page() -> None:
    done = subprocess.run(
        ["make", "--no-print-directory", "help"],
        cwd=REPO,
        capture_output=True,
        text=True,
        check=True,
    )
    verbs = {line.split()[1] for line in done.stdout.splitlines()}
    assert "prove" in verbs
    said = {
        one.content.split()[1]
        for page in pages()
        if page.name == "CONTRIBUTING.md" or page.name.startswith("docs/")
        for block in page.tokens
        for one in block.children or ()
        if one.type == "code_inline" and one.content.startswith("make ")
    }
    assert sorted(verbs - said - {"help"}) == []
    assert sorted(said - verbs) == []


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
def test_every_block_is_output_or_of_a_language_that_is_run(page: Page) -> None:
    """tests/image/test_readme.py runs them; a block without a language is what was printed.

    A step of a workflow is one of the action's, which test_action.py holds against its inputs.
    """
    fences = [one.info for one in page.tokens if one.type == "fence"]
    assert set(fences) <= {"", "sh", "dockerfile", "yaml"}
    assert all(one.type != "code_block" for one in page.tokens)
