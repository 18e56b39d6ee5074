"""The kit's environment is made once, whoever asks for it at the same time."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from scripts.places import REPO

# Instead of Python: it notes each environment that it makes, into which pip then takes a second.
PYTHON = """\
#!/bin/sh
if [ "$*" = "-m venv .venv" ]; then
    mkdir -p .venv/bin
    printf '#!/bin/sh\\nsleep 1\\n' > .venv/bin/python
    chmod +x .venv/bin/python
    echo made >> made
fi
"""


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    for path in ("scripts/bootstrap.sh", "requirements.lock"):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        shutil.copy(REPO / path, tmp_path / path)
    python = tmp_path / "bin/python3"
    python.parent.mkdir()
    python.write_text(PYTHON)
    python.chmod(0o755)
    return tmp_path


def begin(clone: Path) -> subprocess.Popen[bytes]:
    path = f"{clone / 'bin'}:/usr/bin:/bin"
    return subprocess.Popen(["sh", "scripts/bootstrap.sh"], cwd=clone, env={"PATH": path})


def made(clone: Path) -> int:
    return len((clone / "made").read_text().splitlines())


def test_two_at_the_same_time_make_one(clone: Path) -> None:
    both = [begin(clone), begin(clone)]
    assert [one.wait(60) for one in both] == [0, 0]
    assert made(clone) == 1


def test_one_that_was_killed_or_is_out_of_date_is_made_again(clone: Path) -> None:
    assert begin(clone).wait(60) == 0
    (clone / ".venv/.complete").unlink()
    assert begin(clone).wait(60) == 0
    (clone / "requirements.lock").touch()
    assert begin(clone).wait(60) == 0
    assert made(clone) == 3
