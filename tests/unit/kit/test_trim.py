"""What is left out of an environment: files go, RECORD follows, and what the loader maps stays."""

from __future__ import annotations

import csv
import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from scripts.digests import sha256
from scripts.places import IMAGES, REPO

TRIM = REPO / "docker/steps/trim.py"


def trim(site: Path, rules: str) -> dict[str, dict[str, int]]:
    """Run trim.py as a build does; return what each rule did."""
    path = site.parent / "rules.toml"
    path.write_text(rules)
    argv = [sys.executable, str(TRIM), str(path), str(site)]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    return {row.pop("rule"): row for row in map(json.loads, done.stdout.splitlines())}


def rule(do: str, *files: str) -> str:
    return f"[rule.x]\ndo = {do!r}\nfiles = {list(files)}\n"


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """An environment with one package: two equal headers, a test, and their RECORD."""
    site = tmp_path / "site-packages"
    for name in ("one/include/a.h", "one/include/b.h", "one/tests/test_one.py"):
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_text("// the same\n")
    record(site)
    return site


def record(site: Path) -> None:
    info = site / "one-1.0.dist-info"
    info.mkdir(exist_ok=True)
    names = [path.relative_to(site) for path in sorted(site.rglob("*")) if path.is_file()]
    rows = "".join(f"{name},sha256=old,1\n" for name in names if name.name != "RECORD")
    (info / "RECORD").write_text(f"{rows}one-1.0.dist-info/RECORD,,\n")


def recorded(site: Path) -> dict[str, list[str]]:
    with (site / "one-1.0.dist-info/RECORD").open() as file:
        return {row[0]: row[1:] for row in csv.reader(file)}


def test_what_is_removed_is_gone_from_the_record_too(site: Path) -> None:
    assert trim(site, rule("remove", "*/tests/**/*")) == {"x": {"files": 1, "bytes": 12}}
    assert not (site / "one/tests/test_one.py").exists()
    assert sorted(recorded(site)) == [
        "one-1.0.dist-info/RECORD",
        "one/include/a.h",
        "one/include/b.h",
    ]


def test_equal_files_become_one_and_keep_their_paths(site: Path) -> None:
    (site / "one/include/c.h").write_text("// another\n")
    assert trim(site, rule("link", "one/include/**/*")) == {"x": {"files": 1, "bytes": 12}}
    assert (site / "one/include/a.h").samefile(site / "one/include/b.h")
    assert not (site / "one/include/a.h").samefile(site / "one/include/c.h")
    # A second run has nothing to do.
    assert trim(site, rule("link", "one/include/**/*")) == {"x": {"files": 0, "bytes": 0}}


def test_equal_files_of_different_modes_stay_two(site: Path) -> None:
    (site / "one/include/b.h").chmod(0o755)
    assert trim(site, rule("link", "one/include/**/*"))["x"]["files"] == 0


@pytest.fixture
def library(site: Path) -> Path:
    """A real shared library with a symbol table: what mypy is compiled to, in a copy."""
    files = importlib.metadata.files("mypy") or []
    (compiled,) = (file for file in files if "__mypyc." in file.name)
    copy = Path(shutil.copy(str(compiled.locate()), site))
    record(site)
    return copy


def test_a_stripped_library_loads_and_works(site: Path, library: Path) -> None:
    before = library.stat().st_size
    done = trim(site, rule("strip", "*.so"))
    assert done == {"x": {"files": 1, "bytes": before - library.stat().st_size}}
    assert done["x"]["bytes"] > before / 20
    assert recorded(site)[library.name][1] == str(library.stat().st_size)
    module = library.name.partition(".")[0]
    run = f"import importlib as i; m = i.import_module('{module}'); print(m.__file__, m.init_mypy)"
    argv = [sys.executable, "-c", run]
    env = {**os.environ, "PYTHONPATH": str(site)}
    ran = subprocess.run(argv, env=env, capture_output=True, text=True, check=True)
    assert ran.stdout.startswith(f"{library} <capsule object ")
    assert trim(site, rule("strip", "*.so"))["x"]["files"] == 0


def test_what_is_no_library_is_not_stripped(site: Path) -> None:
    (site / "one/script.so").write_text("INPUT(libother.so)\n")
    before = sha256(site / "one/script.so")
    assert trim(site, rule("strip", "**/*.so"))["x"]["files"] == 0
    assert sha256(site / "one/script.so") == before


def test_a_link_to_a_library_stays_a_link(site: Path) -> None:
    (site / "one/link.so").symlink_to("include/a.h")
    assert trim(site, rule("remove", "one/*.so"))["x"]["files"] == 0
    assert (site / "one/link.so").readlink() == Path("include/a.h")


def test_every_rule_of_the_project_says_why_and_what_it_costs() -> None:
    rules = tomllib.loads((IMAGES / "trim.toml").read_text())["rule"]
    for name, one in rules.items():
        assert set(one) == {"do", "files", "reason", "costs"}, name
        assert one["do"] in ("remove", "strip", "link"), name
        assert one["files"], name
