"""Users whom /etc/passwd does not know, and whoever has no home that can be written to."""

import json

import pytest

from tests.image.conftest import RunInImage

# What breaks without a name and a home. Each line stands for what a program of the user's does.
PROGRAM = """
import getpass, json, os, pathlib, subprocess, sys, tempfile
home = pathlib.Path("~").expanduser()
kept = home / ".cache/mine"
kept.parent.mkdir(parents=True)
kept.write_text("kept")
pip = [sys.executable, "-m", "pip", "cache", "dir"]
pip = subprocess.run(pip, capture_output=True, text=True)
mode = oct(home.stat().st_mode)
print(json.dumps([getpass.getuser(), str(home), mode, pip.returncode, pip.stderr]))
"""
AGAIN = "import pathlib; print(pathlib.Path('~/.cache/mine').expanduser().read_text())"
WHO = "import getpass, os; print(getpass.getuser(), os.path.expanduser('~'))"


@pytest.mark.parametrize(
    ("settings", "home"),
    [
        ({}, "/tmp/home-12345"),
        ({"read_only": True}, "/usr/tmp/home-12345"),
        ({"read_only": True, "tmpfs": {"/tmp": ""}}, "/tmp/home-12345"),
    ],
    ids=["", "read-only", "read-only, with a tmpfs"],
)
def test_a_user_without_an_entry_has_a_name_and_a_home(
    run_in_image: RunInImage, settings: dict[str, object], home: str
) -> None:
    """The second program of the same container finds what the first has left."""
    script = f'python -c \'{PROGRAM}\' && python -c "{AGAIN}"; python -S -c "{WHO}"'
    done = run_in_image(["bash", "-c", script], settings={"user": "12345:0", **settings})
    first, second = done.stdout.splitlines()
    assert json.loads(first) == ["12345", home, "0o40700", 0, ""]
    assert second == "kept"
    assert "KeyError: 'getpwuid(): uid not found: 12345'" in done.stderr  # without us


def test_whoever_has_a_name_and_a_home_keeps_them(run_in_image: RunInImage) -> None:
    script = f"""
    useradd --create-home ann
    python -c "{WHO}"
    for user in ann 12345; do
        for given in HOME=/srv USER=ben HOME=/srv\\ LOGNAME=ben; do
            setpriv --reuid $user --clear-groups --regid 0 \\
                env -u USER -u LOGNAME HOME=/ $given python -c "{WHO}"
        done
    done
    mkdir /tmp/home-777
    ln -s /root /tmp/home-778
    for user in 777 778; do
        setpriv --reuid $user --clear-groups --regid 0 env HOME=/ python -c "{WHO}"
    done
    """
    done = run_in_image(["bash", "-euc", script])
    assert done.stdout.splitlines() == [
        "root /root",
        *("ann /srv", "ben /tmp/home-1000", "ben /srv"),
        *("12345 /srv", "ben /tmp/home-12345", "ben /srv"),
        *("777 /var/tmp/home-777", "778 /var/tmp/home-778"),  # somebody else's is no home
    ], done.stderr
