"""`make verify` on the host: what it says, and what it asks of the runtime in the containers.

In place of a container there is the runtime itself, in a folder and a process of its own.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from docker import DockerClient
from scripts.build.build import Built, Materials
from scripts.engine import containers, elsewhere
from scripts.engine.containers import Finished
from scripts.engine.elsewhere import Place
from scripts.engine.engine import Engine
from scripts.errors import KitError
from scripts.places import REPO
from scripts.proof import agreed, verify
from scripts.proof.recording import HANDED_ON, RECORD, time_left
from scripts.proof.verify import REPORTS, Asked, words

BUILT = Built(("org/tf-repro:test",), f"sha256:{'c' * 64}", {}, Materials((), (), {}), "")
# A program that chance decides, and that says how it was started.
SCRIPT = """
import json, os, pathlib, random, sys
chosen = {name: value for name, value in os.environ.items() if name.startswith("TF_")}
print(json.dumps([sys.argv[1:], chosen]))
pathlib.Path("out").write_bytes(os.urandom(9) if "chance" in sys.argv else b"1")
"""


@dataclass
class InPlaceOfContainers:
    """Runs what a container would run, and keeps what was asked for."""

    folder: Path
    argv: list[list[str]] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    images: list[str] = field(default_factory=list)
    owners: list[str | None] = field(default_factory=list)
    swept: list[object] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def run(
        self,
        _: DockerClient,
        image: str,
        argv: Sequence[str],
        *,
        env: Mapping[str, str],
        inputs: Sequence[Path],
        outputs: Sequence[str] = (),
        folders: Mapping[str, Path] | None = None,
        on_line: Callable[[str], None] = lambda _: None,
        owner: str | None = None,
    ) -> Finished:
        """Do as `containers.run` does."""
        with self.lock:
            self.owners.append(owner)
            self.images.append(image)
            return self._run(argv, env, inputs, outputs, folders or {}, on_line)

    def _run(
        self,
        argv: Sequence[str],
        env: Mapping[str, str],
        inputs: Sequence[Path],
        outputs: Sequence[str],
        folders: Mapping[str, Path],
        on_line: Callable[[str], None],
    ) -> Finished:
        work, record = self.folder / f"work-{len(self.argv)}", self.folder / "record"
        shutil.rmtree(record, ignore_errors=True)
        work.mkdir()
        for path in inputs:
            (shutil.copytree if path.is_dir() else shutil.copy)(path, work / path.name)
        self.argv.append(list(argv))
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "tf_repro",
                *(str(record) if a == RECORD else a for a in argv[1:]),
            ],
            cwd=work,
            env={
                "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
                "PYTHONPATH": str(REPO / "docker/runtime"),
                "PYTHONHASHSEED": "042",
                "TF_REPRO_SEED": "42",
                **env,
            },
            capture_output=True,
            text=True,
            check=False,
        )
        for line in done.stdout.splitlines():
            self.lines.append(line)
            on_line(line)
        for here in folders.values():
            self.said.append((record / "stdout.txt").read_text())
            shutil.copytree(record, here)
        files = {name: (work / name).read_bytes() for name in outputs if (work / name).exists()}
        return Finished(done.returncode, done.stdout, done.stderr, 0.0, files)


@pytest.fixture
def ran(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> InPlaceOfContainers:
    (tmp_path / "containers").mkdir()
    instead = InPlaceOfContainers(tmp_path / "containers")
    monkeypatch.setattr(containers, "run", instead.run)
    monkeypatch.setattr(containers, "sweep", instead.swept.append)
    return instead


@pytest.fixture
def on_engines(no_engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Engines that are named are there, and have the image, each by a name of its own."""

    @contextmanager
    def places(names: Sequence[str], *_: object) -> Iterator[list[Place]]:
        yield [
            Place(name, no_engine.client, f"image-of-{name}", f"owner on {name}")
            for name in names or ("near",)
        ]

    monkeypatch.setattr(elsewhere, "places", places)


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "a folder" / "train it.py"
    path.parent.mkdir()
    path.write_text(SCRIPT)
    return path


def asked(script: Path, *arguments: str, bisect: bool = False) -> Asked:
    return Asked(script, arguments, 2, ["--stdout"], script.parent.parent / "reports", bisect)


def test_a_run_gets_its_arguments_and_every_setting(
    ran: InPlaceOfContainers, script: Path, no_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = {
        "TF_REPRO": "seed",
        "TF_REPRO_SEED": "7",
        "TF_REPRO_ASLR": "on",
        "TF_REPRO_REACH": "machine",
        "TF_REPRO_RESUME": "on",
        "TF_REPRO_TRACK": "1",
        "TF_REPRO_DEBUG": "1",
    }
    assert chosen.keys() == set(agreed.SETTINGS), "a setting that this test does not know"
    for name, value in {**chosen, "TF_REPRO_DATA": "ours", "TF_OTHER": "ours"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("TF_REPRO_DATA", str(script.parent.parent / "data"))
    arguments = ["two words", "$HOME", "line\nline", "'", "--", "--runs=9"]
    assert verify.verify(no_engine, BUILT, asked(script, *arguments)) == 0
    for said in ran.said:
        argv, environ = json.loads(said)
        assert argv == arguments
        assert environ.items() >= {**chosen, agreed.IMAGE: BUILT.config_digest}.items()
        assert not {"TF_REPRO_DATA", "TF_OTHER"} & environ.keys(), "the host's own"


def test_without_a_setting_the_images_own_is_in_force(
    ran: InPlaceOfContainers, script: Path, no_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in HANDED_ON:
        monkeypatch.delenv(name, raising=False)
    verify.verify(no_engine, BUILT, asked(script))
    _, environ = json.loads(ran.said[0])
    assert environ["TF_REPRO_SEED"] == "42"
    assert "TF_REPRO_ASLR" not in environ


def test_the_reports_are_left_and_the_passport_has_the_scripts_commit(
    ran: InPlaceOfContainers, script: Path, no_engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    who = ("-c", "user.name=test", "-c", "user.email=test@example.org")
    for argv in (("init", "-q"), ("add", "-A"), (*who, "commit", "-qm", "test")):
        subprocess.run(["git", *argv], cwd=script.parent, check=True)
    head = ["git", "rev-parse", "HEAD"]
    commit = subprocess.run(head, cwd=script.parent, capture_output=True, text=True, check=True)
    assert verify.verify(no_engine, BUILT, asked(script)) == 0
    assert "2 of 2 runs identical" in capsys.readouterr().out
    reports = script.parent.parent / "reports"
    assert {path.name for path in reports.iterdir()} == set(REPORTS)
    passport = json.loads((reports / "passport.json").read_text())
    assert passport["environment"]["revision"] == commit.stdout.strip()
    assert ran.argv[0][:3] == ["tf-repro", "record", "--progress"]
    assert ran.swept == [no_engine.client], "what a killed run has left"


def test_a_golden_passport_is_read_before_anything_runs(
    ran: InPlaceOfContainers, script: Path, no_engine: Engine
) -> None:
    golden = script.parent.parent / "golden one.json"
    with pytest.raises(KitError, match=r"GOLDEN=.*golden one.json: no such file"):
        verify.verify(no_engine, BUILT, replace(asked(script), golden=golden))
    golden.write_text("{}")
    with pytest.raises(KitError, match=r"^golden one.json: not a passport"):
        verify.verify(no_engine, BUILT, replace(asked(script), golden=golden))
    assert [argv[1] for argv in ran.argv] == ["compare"]


def test_a_golden_passport_goes_to_who_judges(
    ran: InPlaceOfContainers, script: Path, no_engine: Engine
) -> None:
    """This script trains nothing, which the judge says."""
    golden = script.parent.parent / "golden one.json"
    golden.write_text('{"tf_repro_passport": 1, "environment": {}, "results": {"steps": 0}}')
    with pytest.raises(KitError, match=r"^golden one.json: no training was recorded"):
        verify.verify(no_engine, BUILT, replace(asked(script), golden=golden))
    assert "--golden=golden one.json" in ran.argv[-1]


def test_runs_that_part_are_told_and_what_no_step_shows_is_not_bisected(
    ran: InPlaceOfContainers, script: Path, no_engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    assert verify.verify(no_engine, BUILT, asked(script, "chance", bisect=True)) == 1
    assert "1 of 2 runs DIFFER" in capsys.readouterr().out
    assert [argv[1] for argv in ran.argv] == ["record", "record", "judge"]


def test_a_step_that_parts_is_looked_into_by_as_many_pairs_as_were_agreed(
    ran: InPlaceOfContainers, script: Path, no_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verify, "_step_to_bisect", lambda _: 3)
    verify.verify(no_engine, BUILT, asked(script, bisect=True))
    extra = [argv for argv in ran.argv if "--bisect" in argv]
    assert [argv[argv.index("--bisect") + 1] for argv in extra] == ["3"] * 2 * agreed.ATTEMPTS
    judged = [argv for argv in ran.argv if argv[1] == "judge"]
    assert judged[-1][-4:] == [f"{agreed.PAIR}{number}" for number in (1, 2, 3, 4)]


def test_what_the_runtime_says_of_its_progress_is_understood(
    ran: InPlaceOfContainers, script: Path, no_engine: Engine
) -> None:
    """A run says how far it is every half second."""
    script.write_text("import time; time.sleep(0.8)")
    verify.verify(no_engine, BUILT, asked(script))
    told = [line for line in ran.lines if line.startswith(agreed.PROGRESS)]
    assert told, ran.lines


@pytest.mark.usefixtures("on_engines")
def test_runs_take_turns_on_engines(
    ran: InPlaceOfContainers,
    script: Path,
    no_engine: Engine,
    capsys: pytest.CaptureFixture[str],
) -> None:
    spread = replace(asked(script), runs=3, engines=("near", "far"))
    assert verify.verify(no_engine, BUILT, spread) == 0
    assert sorted(ran.images) == ["image-of-far", *["image-of-near"] * 2, BUILT.name]
    assert sorted(filter(None, ran.owners)) == ["owner on far", *["owner on near"] * 2]
    assert "near: run 1, 3: as the first run" in capsys.readouterr().err
    with pytest.raises(KitError, match=r"^ENGINES and WORKERS: one at a time"):
        verify.verify(no_engine, BUILT, replace(spread, workers=2))


@pytest.mark.parametrize(
    ("differing", "looked_into"),
    [
        (3, ["near", "far"]),
        (2, ["near", "next"]),
        (4, ["near", "near"]),
    ],
)
@pytest.mark.usefixtures("on_engines")
def test_the_engines_that_parted_look_for_the_operation(
    ran: InPlaceOfContainers,
    script: Path,
    no_engine: Engine,
    monkeypatch: pytest.MonkeyPatch,
    differing: int,
    looked_into: list[str],
) -> None:
    """Run 4 is on the first engine again, so that its pair shows nothing of another one."""

    def judged(*_: object) -> Finished:
        pairs: list[dict[str, object]] = [
            {"runs": [1, run], "first": None, "sections": {}} for run in range(2, 5)
        ]
        pairs[differing - 2] |= {"first": {"stage": "loss"}, "sections": {"loss": ["…"]}}
        runs: list[object] = [{"environment": {}}] * 4
        report = {"identical": False, "tolerance": 0, "runs": runs, "pairs": pairs}
        spread.into.mkdir(exist_ok=True)
        (spread.into / REPORTS[0]).write_text(json.dumps(report))
        return Finished(1, "", "", 0.0)

    monkeypatch.setattr(verify, "judge", judged)
    monkeypatch.setattr(verify, "_step_to_bisect", lambda _: 3)
    monkeypatch.setattr(agreed, "ATTEMPTS", 1)
    spread = replace(asked(script, bisect=True), runs=4, engines=("near", "next", "far"), jobs=1)
    assert verify.verify(no_engine, BUILT, spread) == 1
    images = [image for image, argv in zip(ran.images, ran.argv, strict=True) if "--bisect" in argv]
    assert sorted(images) == sorted(f"image-of-{name}" for name in looked_into)


@pytest.mark.usefixtures("on_engines")
def test_an_engine_is_asked_for_by_the_tolerance_where_another_one_parts(
    ran: InPlaceOfContainers,
    script: Path,
    no_engine: Engine,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What this script leaves is no number, and within no tolerance."""
    judging = ["--tolerance", "0.5"]
    spread = replace(asked(script, "chance"), engines=("near", "far"), judging=judging)
    assert verify.verify(no_engine, BUILT, spread) == 1
    assert ran.argv[-1] == ["tf-repro", "judge", *judging, "run-1", "run-2"]
    assert "far: run 2: PARTS in run 2" in capsys.readouterr().err


@pytest.mark.parametrize("engines", [(), ("near", "far")])
@pytest.mark.usefixtures("on_engines")
def test_runs_that_have_not_begun_do_not_when_one_fails(
    script: Path, no_engine: Engine, monkeypatch: pytest.MonkeyPatch, engines: tuple[str, ...]
) -> None:
    begun: list[object] = []

    def fail(*_: object, **__: object) -> Finished:
        begun.append(None)
        time.sleep(0.1)
        raise KitError("the engine is gone")

    monkeypatch.setattr(containers, "sweep", lambda _: None)
    monkeypatch.setattr(containers, "run", fail)
    with pytest.raises(KitError, match="the engine is gone"):
        verify.verify(no_engine, BUILT, replace(asked(script), runs=20, engines=engines))
    # Each engine's thread may have taken its next one by then.
    assert len(begun) <= 2 * max(len(engines), 1)


def test_a_script_that_cannot_run_is_one_line(
    ran: InPlaceOfContainers, script: Path, no_engine: Engine
) -> None:
    script.write_text("raise SystemExit('no data')")
    with pytest.raises(KitError, match="exited with 1: no data"):
        verify.verify(no_engine, BUILT, asked(script))
    assert ran.argv


def test_words_are_split_as_a_shell_splits_them_and_never_expanded() -> None:
    assert words("ARGS", "a 'b c' \"d e\" f\\ g $HOME `id` ''\nh") == [
        *("a", "b c", "d e", "f g", "$HOME", "`id`", "", "h")
    ]
    with pytest.raises(KitError, match="ARGS=it's: No closing quotation"):
        words("ARGS", "it's")


def test_the_time_left_falls_while_a_run_goes_on() -> None:
    assert time_left([], 3, 5.0) == ""
    assert [time_left([4.0], 3, passed) for passed in (4.0, 7.0, 60.0)] == [
        ", about 8 s left",
        ", about 5 s left",
        ", about 0 s left",
    ]
