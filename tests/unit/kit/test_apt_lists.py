"""The package lists are fetched once, by whoever comes first; the others wait and use them."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from scripts.locks.apt import Source, host_sources

# Like apt, it refuses to run beside another that has the same lists.
APT_GET = """\
#!/bin/sh
mkdir "$STATE/lock" || { echo "E: Could not get lock" >&2; exit 100; }
sleep 0.1
case "$*" in
    *update*) echo once >> "$STATE/updates" ;;
    *) [ ! -e "$STATE/updates" ] || echo "Packages|http://deb.example/|bookworm|main|Debian" ;;
esac
rmdir "$STATE/lock"
"""


def test_several_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "bin/apt-get"
    program.parent.mkdir()
    program.write_text(APT_GET)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("STATE", str(tmp_path))
    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(host_sources, ["bookworm"] * 3))
    assert found == [[Source("http://deb.example", "bookworm")]] * 3
    assert (tmp_path / "updates").read_text() == "once\n"
