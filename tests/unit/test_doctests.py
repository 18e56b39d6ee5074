"""What a docstring shows is what the code does, in the runtime and in the kit."""

import doctest
import importlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Package -> the folder that it is imported from.
PACKAGES = {"tf_repro": ROOT / "docker" / "runtime", "scripts": ROOT}
_EXAMPLE = re.compile(r"^\s*>>> ", re.MULTILINE)


def with_examples(package: str) -> list[str]:
    """Return the modules of a package in whose text there are examples."""
    folder = PACKAGES[package]
    return [
        ".".join(path.relative_to(folder).with_suffix("").parts)
        for path in sorted((folder / package).rglob("*.py"))
        if _EXAMPLE.search(path.read_text())
    ]


@pytest.mark.parametrize("package", PACKAGES)
def test_there_are_some(package: str) -> None:
    assert with_examples(package)


@pytest.mark.parametrize("name", [name for package in PACKAGES for name in with_examples(package)])
def test_they_hold(name: str) -> None:
    """All of them: one that doctest does not find, as in a nested function, fails, too."""
    module = importlib.import_module(name)
    assert module.__file__
    written = len(_EXAMPLE.findall(Path(module.__file__).read_text()))
    assert doctest.testmod(module) == doctest.TestResults(failed=0, attempted=written)
