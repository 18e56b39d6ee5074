"""The project's pages: what they link to, and what they tell a reader to type."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from markdown_it import MarkdownIt

from scripts.places import REPO

if TYPE_CHECKING:
    from markdown_it.token import Token

# In the order of a reader; the last two groups belong to what is beside them.
PATTERNS = ("README.md", "docs/*.md", "*.md", "images/*.md", "examples/*/*.md", "tests/*/*.md")
# GitHub fills in what somebody writes with these; nobody reads them as pages.
TEMPLATES = ".github/*.md"


@dataclass(frozen=True)
class Page:
    """One Markdown file."""

    path: Path

    @property
    def name(self) -> str:
        """The path as people say it."""
        return str(self.path.relative_to(REPO))

    @cached_property
    def text(self) -> str:
        """All of it."""
        return self.path.read_text()

    @cached_property
    def tokens(self) -> list[Token]:
        """What it is made of: blocks, in their order."""
        return MarkdownIt("commonmark").enable("table").parse(self.text)

    def fences(self, language: str) -> list[str]:
        """Return the contents of its code blocks in a language."""
        return [one.content for one in self.tokens if one.type == "fence" and one.info == language]

    def links(self) -> Iterator[str]:
        """Yield what its links and images name, as it is written."""
        for block in self.tokens:
            for one in block.children or ():
                target = one.attrGet("href") or one.attrGet("src")
                if target:
                    yield str(target)

    @cached_property
    def anchors(self) -> frozenset[str]:
        """What a link may name behind its `#`: the headings, as GitHub names them."""
        found: list[str] = []
        for before, block in zip(self.tokens, self.tokens[1:], strict=False):
            if before.type == "heading_open":
                text = "".join(one.content for one in block.children or ())
                found.append(_anchor(text))
        return frozenset(
            name if (count := found[:place].count(name)) == 0 else f"{name}-{count}"
            for place, name in enumerate(found)
        )


def _anchor(heading: str) -> str:
    """Return GitHub's name of a heading: lower case, letters, digits, `-` and `_`.

    https://github.com/gjtorikian/html-pipeline/blob/v2.14.3/lib/html/pipeline/toc_filter.rb
    """
    kept = (
        one for one in heading.lower() if one in "-_ " or unicodedata.category(one)[0] in {"L", "N"}
    )
    return "".join(kept).strip().replace(" ", "-")


@cache
def pages() -> tuple[Page, ...]:
    """Return every page, each once; the README first."""
    paths = [path for pattern in PATTERNS for path in sorted(REPO.glob(pattern))]
    return tuple(Page(path) for path in dict.fromkeys(paths))


def templates() -> tuple[Page, ...]:
    """Return what is no page, and has links all the same."""
    return tuple(Page(path) for path in sorted(REPO.glob(TEMPLATES)))


def is_elsewhere(link: str) -> bool:
    """Tell whether a link leaves this repository."""
    return bool(urlsplit(link).scheme)


def resolved(page: Page, link: str) -> tuple[Path, str]:
    """Return the file that a relative link names, and the anchor, if any."""
    parts = urlsplit(link)
    path = (page.path.parent / unquote(parts.path)).resolve() if parts.path else page.path
    return path, unquote(parts.fragment)


def commands() -> list[tuple[str, str]]:
    """Return (page, command) for every line of shell on the pages, each once, where it is first."""
    found: dict[str, str] = {}
    for page in pages():
        for block in page.fences("sh"):
            for line in block.splitlines():
                found.setdefault(line, page.name)
    return [(name, command) for command, name in found.items()]


def dockerfiles() -> list[str]:
    """Return the Dockerfiles on the pages."""
    return [block for page in pages() for block in page.fences("dockerfile")]
