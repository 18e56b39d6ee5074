"""What `make verify INTERRUPT=` asks of its containers: both halves of a run share one folder."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from docker import DockerClient
from scripts.build.build import Built, Materials
from scripts.engine import containers
from scripts.engine.containers import Finished
from scripts.engine.engine import Engine
from scripts.errors import KitError
from scripts.proof import agreed, interrupt
from scripts.proof.verify import Asked

BUILT = Built(("org/tf-repro:test",), f"sha256:{'c' * 64}", {}, Materials((), (), {}), "")
REPORT = {"identical": True}
PASSPORT: dict[str, object] = {"environment": {}}


class Run(NamedTuple):
    """What one container was asked for."""

    argv: list[str]
    inputs: list[Path]
    folders: dict[str, Path]
    settings: Mapping[str, object] | None


class Containers:
    """Keeps what was asked of them, and leaves what a run leaves."""

    def __init__(self) -> None:
        self.asked: list[Run] = []
        self.volumes: list[str] = []
        self.swept: list[object] = []
        self.first_half = Finished(0, "", "", 1.0)

    def run(
        self,
        _: DockerClient,
        __: str,
        argv: Sequence[str],
        *,
        inputs: Sequence[Path],
        outputs: Sequence[str] = (),
        folders: Mapping[str, Path] | None = None,
        settings: Mapping[str, object] | None = None,
        **___: object,
    ) -> Finished:
        """Do as `containers.run` does."""
        self.asked.append(Run(list(argv), list(inputs), dict(folders or {}), settings))
        for here in (folders or {}).values():
            here.mkdir()
            (here / agreed.RUN).write_text("{}")
        if argv[1] == "judge":
            contents = zip(outputs, (REPORT, {}, PASSPORT), strict=True)
            files = {name: json.dumps(content).encode() for name, content in contents}
            return Finished(0, "the same\n", "", 1.0, files)
        is_half = any(option.startswith("--interrupt") for option in argv)
        return self.first_half if is_half else Finished(0, "", "", 1.0)

    @contextmanager
    def volume(self, _: DockerClient) -> Iterator[str]:
        """Do as `containers.volume` does."""
        self.volumes.append(f"volume-{len(self.volumes)}")
        yield self.volumes[-1]


@pytest.fixture
def made_up(monkeypatch: pytest.MonkeyPatch) -> Containers:
    instead = Containers()
    monkeypatch.setattr(containers, "run", instead.run)
    monkeypatch.setattr(containers, "sweep", instead.swept.append)
    monkeypatch.setattr(containers, "volume", instead.volume)
    return instead


@pytest.fixture
def asked(tmp_path: Path) -> Asked:
    script = tmp_path / "train.py"
    script.write_text("")
    return Asked(script, ["--fast"], 2, [], tmp_path / "reports")


def test_a_run_is_started_again_by_the_same_command_in_the_same_folder(
    made_up: Containers, asked: Asked, no_engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    assert interrupt.interrupt(no_engine, BUILT, asked) == 0
    assert made_up.swept == [no_engine.client], "what a killed run has left"
    unbroken, *halves, judge = made_up.asked
    assert not any("--interrupt" in option for option in unbroken.argv)
    for number in (1, 2):
        first, second = halves[2 * number - 2 : 2 * number]
        assert first.argv == second.argv
        assert f"--interrupt={number}" in first.argv
        assert first.argv[-3:] == ["python", "train.py", "--fast"]
        volumes = {"volumes": {f"volume-{number - 1}": {"bind": interrupt.SHARED, "mode": "rw"}}}
        assert first.settings == second.settings == volumes
        assert not first.folders
        (there,) = second.folders
        assert f"--keep={there}" in first.argv
    assert judge.argv[:2] == ["tf-repro", "judge"]
    names = [path.name for path in judge.inputs]
    assert judge.argv[-3:] == names
    # No run gets the unbroken one's record with the script's folder.
    assert names[0].startswith(agreed.TEMPORARY)
    assert "the same" in capsys.readouterr().out


def test_why_a_run_could_not_be_interrupted_is_one_line(
    made_up: Containers, asked: Asked, no_engine: Engine
) -> None:
    made_up.first_half = Finished(2, "", "tf-repro: nothing to interrupt: no training step\n", 1.0)
    with pytest.raises(KitError, match=r"^nothing to interrupt: no training step$"):
        interrupt.interrupt(no_engine, BUILT, asked)
