"""`tf-repro compare` of two images, by what the family publishes of them."""

import json
import re
import shutil
from pathlib import Path

import pytest

from scripts.places import IMAGES
from tf_repro import __main__ as tf_repro

SEEN = {"processor": "A", "above_avx2": [], "on": "2026-11-26"}
OLD, NEW = "a" * 64, "b" * 64


def golden(*weights: str, version: int = 1) -> str:
    digits = [{"weights": each, "loss": 0.5, "seen": [SEEN]} for each in weights]
    found = {"version": version, "made_by": "make golden IMAGE=2.15-cpu", "digits": digits}
    return json.dumps(found)


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """Two images, the second with another Keras and a Debian package more."""
    for tag, keras, weights in (("one", "2.15.0", OLD), ("two", "3.3.3", NEW)):
        folder = tmp_path / tag
        folder.mkdir()
        wheels = f"# Made by x.\nkeras=={keras} --hash=sha256:0\nnumpy==1.26.4 --hash=sha256:0\n"
        (folder / "requirements.lock").write_text(wheels)
        (folder / "debs.lock").write_text("# Debian.\ntar 1.34 amd64 0 1 pool/tar.deb\n")
        (folder / "golden.json").write_text(golden(weights))
    with (tmp_path / "two/debs.lock").open("a") as lock:
        lock.write("zlib1g 1:1.2 amd64 0 1 pool/zlib.deb\n")
    return tmp_path


def test_what_moved_and_whether_the_bits_did(
    images: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, two = str(images / "one"), str(images / "two")
    assert tf_repro.main(["compare", one, two]) == 1
    assert capsys.readouterr().out == (
        "2 packages moved:\n"
        "  wheel keras: 2.15.0 -> 3.3.3\n"
        "  deb zlib1g: (none) -> 1:1.2\n"
        "\n"
        "the golden training (digits) ends with other bits: aaaaaaaaaaaa -> bbbbbbbbbbbb, last "
        "loss 0.5 -> 0.5\n"
        f"  {one}: aaaaaaaaaaaa on A, 2026-11-26\n"
        f"  {two}: bbbbbbbbbbbb on A, 2026-11-26\n"
    )


def test_what_some_processor_gave_instead_is_told(
    images: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first result is the published one, and decides."""
    (images / "two/golden.json").write_text(golden(OLD, NEW))
    files = [str(images / tag / "golden.json") for tag in ("one", "two")]
    assert tf_repro.main(["compare", *files]) == 0
    said = capsys.readouterr().out
    assert "ends with the same bits, aaaaaaaaaaaa\n" in said
    assert f"  {files[1]}: bbbbbbbbbbbb on A, 2026-11-26\n" in said


def test_a_file_by_any_name_tells_of_the_bits_alone(
    images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "elsewhere").mkdir()
    mine = shutil.copy(images / "one/golden.json", tmp_path / "elsewhere/mine.json")
    assert tf_repro.main(["compare", str(mine), str(images / "one")]) == 0
    said = capsys.readouterr().out
    assert said.startswith(f"which packages moved is not known: no lock stands beside {mine}\n")
    assert "ends with the same bits" in said


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "two: whether the bits moved is not known: no golden.json is published of"),
        ("<<<<<<< ours\n", "golden.json: not what `make golden` writes (it has the conflicts of"),
        (golden(NEW, version=2), "golden.json: version 2; this tf-repro reads 1"),
        (golden(), "golden.json: not what `make golden` writes (no result of digits)"),
        ("{", "golden.json: not what `make golden` writes ("),
        (golden(NEW).replace('"on"', '"off"'), "golden.json: not what `make golden` writes ('on')"),
    ],
)
def test_bad_input_is_one_line(
    images: Path, capsys: pytest.CaptureFixture[str], text: str | None, words: str
) -> None:
    path = images / "two/golden.json"
    path.unlink()
    if text is not None:
        path.write_text(text)
    assert tf_repro.main(["compare", str(images / "one"), str(images / "two")]) == 2
    err = capsys.readouterr().err
    assert words.removeprefix("two: ") in err
    assert err.count("\n") == 1


def test_an_image_and_a_run_are_no_two_of_a_kind(
    images: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    passport = images / "golden.json"  # as somebody may call the golden passport of a training
    passport.write_text(json.dumps({"tf_repro_passport": 1, "environment": {}, "results": {}}))
    assert tf_repro.main(["compare", str(images / "one"), str(passport)]) == 2
    assert "tells of an image, and " in capsys.readouterr().err
    assert tf_repro.main(["compare", str(passport), str(passport)]) == 0


def test_the_familys_own_files_are_read(capsys: pytest.CaptureFixture[str]) -> None:
    status = tf_repro.main(["compare", str(IMAGES / "2.15-cpu"), str(IMAGES / "2.16-cpu")])
    said = capsys.readouterr().out
    assert status == ("other bits" in said)
    assert re.search(r"^  wheel tensorflow-cpu: 2\.15\S* -> 2\.16", said, re.MULTILINE), said
    assert "the golden training (digits) ends with " in said
