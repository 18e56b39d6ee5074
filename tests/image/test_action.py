"""The action in another repository's checkout, with a real image."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.build.build import Built
from scripts.engine.engine import Engine
from scripts.places import REPO

PROGRAM = REPO / "action/verify.py"
TRAIN = (Path(__file__).parent / "verify/train.py").read_text()


@pytest.mark.parametrize("part", ["", "loss"])
def test_the_verdict_is_where_a_reader_of_the_job_looks(
    part: str, built: Built, host: Engine, tmp_path: Path
) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/docker").symlink_to(host.docker)
    text = TRAIN.replace('os.environ.get("PART", "")', repr(part))
    assert text != TRAIN
    (tmp_path / "train.py").write_text(text)
    options = [f"--image={built.name}", "--runs=2", "--options=--jobs 2 --bisect"]
    done = subprocess.run(
        [sys.executable, str(PROGRAM), *options, "--", "train.py"],
        cwd=tmp_path,
        env={
            **os.environ,
            **host.env,
            "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}",
            "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md"),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == bool(part), done.stdout + done.stderr
    verdict = "1 of 2 runs DIFFER" if part else "2 of 2 runs identical"
    assert verdict in (tmp_path / "summary.md").read_text()
    line = 1 + text.splitlines().index("    out = tf.numpy_function(off, [tensor], tensor.dtype)")
    assert (f"::error file=train.py,line={line}::" in done.stdout) == bool(part), done.stdout
    assert (tmp_path / "verified/report.html").stat().st_size


@pytest.mark.parametrize("workers", [2] if os.environ.get("TEST_TEAMS") == "all" else [])
def test_workers_train_together(workers: int, built: Built, host: Engine, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/docker").symlink_to(host.docker)
    for name in ("train_on_workers.py", "digits.csv.gz"):
        (tmp_path / name).write_bytes((REPO / "examples/digits" / name).read_bytes())
    options = [f"--image={built.name}", "--runs=2", f"--workers={workers}"]
    done = subprocess.run(
        [sys.executable, str(PROGRAM), *options, "--", "train_on_workers.py"],
        cwd=tmp_path,
        env={**os.environ, **host.env, "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 of 2 runs identical" in done.stdout
    for index in range(workers):
        assert (tmp_path / f"verified/worker-{index}/report.html").stat().st_size
