"""Engines beside this machine's: which image they run, and what is said of those that cannot."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest
from docker.errors import ImageNotFound

from docker import DockerClient
from scripts.engine import elsewhere
from scripts.engine.engine import Engine
from scripts.errors import KitError
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
    runs = [{"environment": {"cpu": cpu}} for cpu in ("A", "B", "A")]
    pairs = [{"runs": [1, 2], "sections": {"loss": ["…"]}}, {"runs": [1, 3], "sections": {}}]
    report = tmp_path / "report.json"
    report.write_text(json.dumps({"runs": runs, "pairs": pairs}))
    by_engine.tell(report, ["near", "far"])
    said = capsys.readouterr().err
    assert "near: run 1, 3: as the first run (A)\n" in said
    assert "far: run 2: PARTS in run 2 (B)\n" in said
    far = {"engine": "far", "processor": "B", "runs": [2], "parts": [2]}
    assert json.loads(report.read_text())["engines"][1] == far
