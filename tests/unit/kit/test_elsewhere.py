"""Engines beside this machine's: which image they run, and what is said of those that cannot."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import pytest
from docker.errors import ImageNotFound

from docker import DockerClient
from scripts.engine import connection, containers, elsewhere
from scripts.engine.elsewhere import Place
from scripts.engine.engine import Engine
from scripts.errors import KitError
from scripts.places import data_identity
from scripts.proof import by_engine

IMAGE, DIGEST = "org/tf-repro:2.15-cpu", "sha256:" + "c" * 64
KNOWN = "org/tf-repro:sha256-" + "c" * 64


@dataclass
class FakeImage:
    """An image of an engine: its layers are all that tells it from another."""

    layers: list[str]
    names: list[str] = field(default_factory=list)

    @property
    def attrs(self) -> dict[str, Any]:
        """What the engine says of it."""
        return {"RootFS": {"Layers": self.layers}, "Config": {"Env": ["A=1"], "Cmd": None}}

    def save(self, chunk_size: int) -> Iterator[bytes]:
        """Yield what another engine can load."""
        yield from (json.dumps(self.layers).encode(), b" " * chunk_size)

    def tag(self, repository: str, tag: str) -> None:
        """Give it a name more."""
        self.names.append(f"{repository}:{tag}")


@dataclass
class FakeEngine:
    """The images of an engine, which may break what it loads."""

    held: list[FakeImage] = field(default_factory=list)
    breaks: bool = False
    loads: int = 0

    @property
    def images(self) -> FakeEngine:
        """Itself, as a client has it."""
        return self

    def get(self, name: str) -> FakeImage:
        """Return the image of a name."""
        for image in self.held:
            if name in image.names:
                return image
        raise ImageNotFound(name)

    def load(self, stream: Iterator[bytes]) -> Sequence[FakeImage]:
        """Take an image, which has no name."""
        layers = json.loads(b"".join(stream))
        self.loads += 1
        self.held.append(FakeImage(["broken"] if self.breaks else layers))
        return self.held[-1:]


@pytest.fixture
def here() -> FakeEngine:
    return FakeEngine([FakeImage(["one", "two"], [IMAGE])])


def brought(here: FakeEngine, there: FakeEngine) -> str:
    one, other = cast("DockerClient", here), cast("DockerClient", there)
    return elsewhere._brought(one, IMAGE, DIGEST, "far", other)


def test_an_image_is_transferred_once(here: FakeEngine) -> None:
    """Under a name of its digest: what the other engine calls so is left alone."""
    there = FakeEngine([FakeImage(["old"], [IMAGE])])
    assert brought(here, there) == brought(here, there) == KNOWN
    assert there.loads == 1
    assert there.get(KNOWN).layers == ["one", "two"]
    assert there.get(IMAGE).layers == ["old"]


def test_another_image_of_that_name_is_said(
    here: FakeEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    there = FakeEngine([FakeImage(["forged"], [KNOWN])])
    brought(here, there)
    assert there.loads == 1
    assert f"far: {KNOWN} is another image there than here" in capsys.readouterr().err


def test_an_engine_that_loads_something_else_is_one_line(here: FakeEngine) -> None:
    with pytest.raises(KitError, match=r"^ENGINES: far: what it has loaded is not the image"):
        brought(here, FakeEngine(breaks=True))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("unix:///nowhere/far.sock", "unix:///nowhere/far.sock: no Docker engine answers there"),
        ("laptop", "laptop is no address and no docker context"),
    ],
)
def test_an_engine_that_cannot_be_found_is_one_line(
    no_engine: Engine, tmp_path: Path, name: str, words: str
) -> None:
    program = tmp_path / "docker"  # a client that knows no context
    program.write_text("#!/bin/sh\nexit 1\n")
    program.chmod(0o755)
    host = Engine("unix:///here.sock", program, no_engine.buildx, no_engine.client)
    with (
        pytest.raises(KitError, match=rf"^ENGINES: {words}") as raised,
        elsewhere.places([name], host, IMAGE, DIGEST),
    ):
        pass
    assert "\n" not in str(raised.value)


def test_none_named_is_the_engine_at_hand(no_engine: Engine) -> None:
    with elsewhere.places([], no_engine, IMAGE, DIGEST) as places:
        assert [(place.client, place.image) for place in places] == [(no_engine.client, IMAGE)]


def test_the_engine_whose_runs_part_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = report(tmp_path, {2: "B"}, identical=False)
    by_engine.tell(told, ["near", "far"], no_tolerance)
    said = capsys.readouterr().err
    assert "near: run 1, 3: as the first run (A)\n" in said
    assert "far: run 2: PARTS in run 2 (B)\n" in said
    far = {"engine": "far", "processor": "B", "runs": [2], "parts": [2], "close": []}
    assert json.loads(told.read_text())["engines"][1] == far


def report(folder: Path, others: dict[int, str], **verdict: object) -> Path:
    """Write a report of three runs, of which some have other bits, on processors of these names."""
    runs = [{"environment": {"cpu": others.get(run, "A")}} for run in (1, 2, 3)]
    pairs = [
        {"runs": [1, run], "sections": {"loss": ["…"]} if run in others else {}} for run in (2, 3)
    ]
    path = folder / "report.json"
    path.write_text(json.dumps({"tolerance": 0, "runs": runs, "pairs": pairs, **verdict}))
    return path


def no_tolerance(run: int) -> bool:
    raise AssertionError(f"run {run}: nobody has asked for a tolerance, or all are within it")


@pytest.mark.parametrize(
    ("identical", "close", "far", "near"),
    [
        (True, None, "within the tolerance in run 2", "within the tolerance in run 3"),
        (False, {3}, "PARTS in run 2", "within the tolerance in run 3"),
        (False, {2}, "within the tolerance in run 2", "PARTS in run 3"),
        (False, set(), "PARTS in run 2", "PARTS in run 3"),
    ],
)
def test_an_engine_within_the_tolerance_does_not_part(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    identical: bool,
    close: set[int] | None,
    far: str,
    near: str,
) -> None:
    told = report(tmp_path, {2: "B", 3: "A"}, identical=identical, tolerance=0.1)
    is_close = no_tolerance if close is None else close.__contains__
    by_engine.tell(told, ["near", "far"], is_close)
    said = capsys.readouterr().err
    assert f"far: run 2: {far} (B)\n" in said
    assert f"near: run 1, 3: {near} (A)\n" in said
    rows = json.loads(told.read_text())["engines"]
    parts = {run for row in rows for run in row["parts"]}
    assert parts == ({2, 3} - close if close is not None else set())


def test_what_a_killed_run_left_on_another_engine_is_swept_there(
    here: FakeEngine, no_engine: Engine, data_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a name that the data root of no other machine has, though its path may be the same."""
    host = replace(no_engine, client=cast("DockerClient", here))
    swept: list[tuple[object, str | None]] = []
    far = FakeEngine()
    monkeypatch.setattr(containers, "sweep", lambda *asked: swept.append(asked))
    monkeypatch.setattr(connection, "opened", lambda *_: nullcontext(far))
    with elsewhere.places(["unix:///far.sock", host.host], host, IMAGE, DIGEST) as (there, ours):
        assert swept == [(cast("DockerClient", far), there.owner)]
        assert there == Place("unix:///far.sock", cast("DockerClient", far), KNOWN, there.owner)
        assert ours == Place(host.host, host.client, IMAGE)
    mine = there.owner
    assert mine == data_identity()
    assert mine.startswith(f"{data_root} ")
    (data_root / "identity").unlink()
    assert data_identity() != mine
