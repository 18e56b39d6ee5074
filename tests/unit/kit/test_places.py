"""Temporary folders: one that is in use is nobody's to sweep, and what a killed run left is."""

import signal
import subprocess
import sys
from pathlib import Path

from scripts.places import REPO, exclusive, scratch

HOLDS_ONE = """
from scripts.places import scratch
with scratch() as folder:
    (folder / 'half').write_text('')
    print(folder, flush=True)
    input()
"""


def test_a_folder_lives_as_long_as_its_process(data_root: Path) -> None:
    other = subprocess.Popen(
        [sys.executable, "-c", HOLDS_ONE],
        cwd=REPO,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert other.stdout
    theirs = Path(other.stdout.readline().strip())
    assert theirs.parent == data_root / "tmp"
    with scratch() as ours:
        with exclusive():
            assert (theirs / "half").exists()
            assert ours.exists()
        other.send_signal(signal.SIGKILL)
        other.communicate()
        assert theirs.exists()
        with exclusive():
            assert not theirs.exists()
            assert ours.exists()
    assert not ours.exists()
