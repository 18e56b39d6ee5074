"""`tf-repro doctor --golden`: what is computed here, beside what was published."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tf_repro import __main__ as tf_repro
from tf_repro.doctor import golden

Publish = Callable[..., None]
NAMES = [f"op {number} float32 7" for number in range(8)]
# A battery as the image's, whose rows are told by a file.
BATTERY = """
import json, os, pathlib, sys
print("a line of TensorFlow's")
assert sys.argv[2:] == ["--sample"], sys.argv
ours = [name for name in os.environ if name.startswith("TF_REPRO")]
for row in json.loads(pathlib.Path(sys.argv[1]).read_text()):
    print(json.dumps({**row, **({"digest": str(ours)} if ours else {})}))
"""


@pytest.fixture
def publish(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Publish:
    """Return a function that takes what was published, and what two parts of a battery print."""

    def publish(outcomes: dict[str, str], *parts: list[dict[str, str]]) -> None:
        (tmp_path / "battery").mkdir()
        (tmp_path / "battery" / "__main__.py").write_text(BATTERY)
        for number, rows in enumerate(parts):
            (tmp_path / f"part{number}").write_text(json.dumps(rows))
        names = [f"part{number}" for number in range(len(parts))]
        document = {"version": 1, "parts": names, "first_seen": "a Xeon", "outcomes": outcomes}
        (tmp_path / "golden.json").write_text(json.dumps(document))

    monkeypatch.setattr(golden, "PUBLISHED", tmp_path / "golden.json")
    monkeypatch.setattr(golden, "BATTERY", str(tmp_path))
    return publish


def rows(digests: dict[str, str]) -> list[dict[str, str]]:
    """Return what a part prints: a line on itself, and the rows."""
    named = [
        dict(zip(("row", "type", "size"), name.rsplit(" ", 2), strict=True)) for name in digests
    ]
    printed = [{**name, "digest": one} for name, one in zip(named, digests.values(), strict=True)]
    return [{"rows": str(len(printed))}, *printed]


def test_the_same_bits_are_said_with_who_saw_them_first(
    publish: Publish, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are the image's own: what the caller has set does not reach them."""
    monkeypatch.setenv("TF_REPRO_REACH", "machine")
    outcomes = dict.fromkeys(NAMES, "aa")
    first, second = dict(list(outcomes.items())[:5]), dict(list(outcomes.items())[5:])
    publish(outcomes, rows(first), rows(second))
    assert tf_repro.main(["doctor", "--golden"]) == 0
    said = capsys.readouterr()
    assert said.out == "the same bits as published in 8 ops and trainings, first seen on a Xeon\n"
    assert "5 of 8 ops and trainings are computed" in said.err


def test_the_first_that_differs_is_named(
    publish: Publish, capsys: pytest.CaptureFixture[str]
) -> None:
    outcomes = dict.fromkeys(NAMES, "aa")
    publish(outcomes, rows({**outcomes, **dict.fromkeys(NAMES[1:], "bb")}))
    assert tf_repro.main(["doctor", "--golden"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert "7 of 8 differ, the first is op 1 float32 7" in lines[0]
    assert lines[5] == "       and 2 more: --json names them"
    assert tf_repro.main(["doctor", "--golden", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["differing"] == NAMES[1:]


def test_what_did_not_run_differs(publish: Publish, capsys: pytest.CaptureFixture[str]) -> None:
    outcomes = dict.fromkeys(NAMES, "aa")
    publish(outcomes, rows(dict.fromkeys(NAMES[:7], "aa")))
    assert tf_repro.main(["doctor", "--golden"]) == 1
    assert f"the first is {NAMES[7]}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("outcomes", "said"),
    [({}, "nothing is published"), ({"a b c": "d"}, "battery part0 exited with 1: ")],
)
def test_what_cannot_be_compared_is_one_line(
    publish: Publish, capsys: pytest.CaptureFixture[str], outcomes: dict[str, str], said: str
) -> None:
    publish(outcomes, [])
    Path(golden.BATTERY, "part0").write_text("nothing")
    assert tf_repro.main(["doctor", "--golden"]) == 2
    err = capsys.readouterr().err
    assert said in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("text", [None, "{", "[]"])
def test_a_file_that_cannot_be_read_is_one_line(
    publish: Publish, capsys: pytest.CaptureFixture[str], text: str | None
) -> None:
    publish({})
    golden.PUBLISHED.unlink()
    if text is not None:
        golden.PUBLISHED.write_text(text)
    assert tf_repro.main(["doctor", "--golden"]) == 2
    assert "golden.json cannot be read" in capsys.readouterr().err
