"""`tf-repro doctor --files` on an environment of two packages, as pip records them."""

import base64
import hashlib
import json
import shutil
from pathlib import Path

import pytest

from tests.unit.runtime.conftest import Interpreter
from tf_repro.doctor import files, records


def install(site: Path, name: str, version: str, texts: dict[str, str]) -> None:
    """Write a distribution's files and their RECORD, as an installer does that compiles."""
    home = f"{name}-{version}.dist-info"
    rows = [f"{home}/RECORD,,", f"{name}/__pycache__/a.cpython-311.pyc,,"]
    for path, text in {**texts, f"{home}/INSTALLER": "pip\n", f"{home}/METADATA": version}.items():
        file = site / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=")
        rows.append(f"{path},sha256={digest.decode()},{len(text)}")
    (site / home / "RECORD").write_text("\n".join(rows) + "\n")


Locked = list[records.Locked]


@pytest.fixture
def site(tmp_path: Path) -> Path:
    site = tmp_path / "v/lib/site-packages"
    install(site, "one_two", "1.0", {"one_two/a.py": "a", "one_two/b.py": "b"})
    install(site, "six", "2.0", {"six.py": "six", "../../bin/six": "program"})
    return site


@pytest.fixture
def locked(site: Path) -> Locked:
    file = site.parent / "records.json"
    file.write_text(records.write(site))
    where, locked = records.read(file)
    assert where == site
    assert [(one.name, one.version) for one in locked] == [("one-two", "1.0"), ("six", "2.0")]
    return locked


def found(site: Path, locked: Locked, *python_path: Path) -> list[tuple[str, ...]]:
    return [
        (one.kind, one.distribution, *one.files, one.by)
        for one in files.differences(site, locked, [str(folder) for folder in python_path])
    ]


def test_what_nobody_has_touched_is_locked(site: Path, locked: Locked) -> None:
    assert found(site, locked) == []


def test_what_is_compiled_added_or_asked_for_moves_nothing(site: Path, locked: Locked) -> None:
    cache = site / "one_two/__pycache__"
    cache.mkdir()
    (cache / "a.cpython-311.pyc").write_text("compiled")
    (site / "six-2.0.dist-info/REQUESTED").touch()
    install(site, "three", "3.0", {"three/c.py": "c", "one_two/plugin_of_three.py": "d"})
    assert found(site, locked) == []


def test_the_same_bytes_installed_again_are_the_locked_ones(site: Path, locked: Locked) -> None:
    record = site / "six-2.0.dist-info/RECORD"
    (record.parent / "INSTALLER").write_text("uv\n")
    rows = [row for row in record.read_text().splitlines() if "INSTALLER" not in row]
    record.write_text("\n".join(reversed(rows)) + "\n")
    assert found(site, locked) == []


def test_a_file_that_was_changed_or_removed_is_named(site: Path, locked: Locked) -> None:
    (site / "one_two/a.py").write_text("x")
    (site / "../../bin/six").unlink()
    assert found(site, locked) == [
        ("changed", "one-two", "one_two/a.py", ""),
        ("gone", "six", "../../bin/six", ""),
    ]


def test_who_has_written_over_it_is_named(site: Path, locked: Locked) -> None:
    install(site, "over", "9", {"one_two/a.py": "other"})
    assert found(site, locked) == [("changed", "one-two", "one_two/a.py", "over 9")]


def test_another_version_is_named(site: Path, locked: Locked) -> None:
    shutil.rmtree(site / "six-2.0.dist-info")
    install(site, "six", "3.0", {"six.py": "newer"})
    assert found(site, locked) == [("replaced", "six", "six 3.0")]


def test_the_same_version_of_other_bytes_is_named(site: Path, locked: Locked) -> None:
    install(site, "six", "2.0", {"six.py": "patched"})
    assert found(site, locked) == [("reinstalled", "six", "six 2.0")]


def test_a_second_version_beside_the_locked_one_is_named(site: Path, locked: Locked) -> None:
    install(site, "six", "3.0", {"six.py": "newer"})
    assert found(site, locked) == [
        ("changed", "six", "six.py", "six 3.0"),
        ("replaced", "six", "six 3.0"),
    ]


def test_what_is_not_installed_any_more_is_named(site: Path, locked: Locked) -> None:
    shutil.rmtree(site / "one_two-1.0.dist-info")
    assert found(site, locked) == [("missing", "one-two", "")]


def test_a_file_that_nobody_records_is_named(site: Path, locked: Locked) -> None:
    (site / "one_two/a.cpython-311-x86_64-linux-gnu.so").write_text("comes before a.py")
    assert found(site, locked) == [
        ("added", "one-two", "one_two/a.cpython-311-x86_64-linux-gnu.so", "")
    ]


def test_a_module_that_is_found_elsewhere_first_is_named(
    site: Path, locked: Locked, tmp_path: Path
) -> None:
    folder = tmp_path / "mine"
    (folder / "one_two").mkdir(parents=True)
    assert found(site, locked, folder) == []  # a folder without __init__.py gives way
    (folder / "six.py").touch()
    assert found(site, locked, folder) == [("shadowed", "six", f"{folder}/six.py, by PYTHONPATH")]


def test_the_report_and_its_exit_status(
    site: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "records.json"
    file.write_text(records.write(site))
    monkeypatch.setattr(files, "LOCKED", str(file))
    monkeypatch.delenv("PYTHONPATH", raising=False)
    assert files.run(as_json=False) == 0
    assert "All of them" in capsys.readouterr().out

    for name in "abcdefgh":
        (site / f"one_two/{name}.py").write_text("other")
    assert files.run(as_json=False) == 1
    said = capsys.readouterr().out
    assert "changed      one-two 1.0: one_two/a.py, one_two/b.py\n" in said
    assert "added        one-two 1.0: one_two/c.py" in said
    assert "one_two/g.py and 1 more\n" in said
    assert "1 of them" in said

    assert files.run(as_json=True) == 1
    whole = json.loads(capsys.readouterr().out)
    assert [(one["kind"], len(one["files"])) for one in whole["differences"]] == [
        ("added", 6),
        ("changed", 2),
    ]


def test_outside_of_an_image_it_says_so(python: Interpreter) -> None:
    done = python("-m", "tf_repro", "doctor", "--files")
    assert done.returncode == 2
    assert done.stderr == f"tf-repro: {files.LOCKED}: No such file or directory\n"
