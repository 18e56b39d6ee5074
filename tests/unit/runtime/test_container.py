"""What a container leaves out: a home and a name for its user, and an end at SIGTERM."""

import os
from pathlib import Path

import pytest

from tests.unit.runtime.conftest import Interpreter
from tf_repro import environment
from tf_repro.machine import home

UNKNOWN = 987654321
# As if it were the first process, which is what the image's tests have.
AS_FIRST = """
import os, signal
from tf_repro.machine import first_process
first_process.FIRST = os.getpid()
first_process.end_on_sigterm()
"""


@pytest.fixture
def environ(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, str]:
    """Return the environment of a user whom nobody knows; folders are made as the real one."""
    real = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: UNKNOWN)
    monkeypatch.setattr(os, "access", lambda _path, _mode: False)
    lstat = os.lstat

    def of_the_unknown(path: str) -> object:
        status = list(lstat(path))
        status[4] = UNKNOWN if status[4] == real else status[4]
        return os.stat_result(status)

    monkeypatch.setattr(os, "lstat", of_the_unknown)
    monkeypatch.setattr(home, "FOLDERS", (str(tmp_path / "none"), str(tmp_path)))
    return {"HOME": "/"}


def test_a_user_without_an_entry_gets_a_name_and_a_home(
    environ: dict[str, str], tmp_path: Path
) -> None:
    for _ in "the first process", "the second":
        environ = {"HOME": "/"}
        home.give(environ)
        folder = tmp_path / f"home-{UNKNOWN}"
        name = str(UNKNOWN)
        assert environ == {"HOME": str(folder), "LOGNAME": name, "USER": name}
        assert folder.stat().st_mode & 0o777 == 0o700
        assert not environment.may_lack_a_home(environ)


def test_what_is_somebody_elses_is_no_home(environ: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / f"home-{UNKNOWN}").symlink_to(tmp_path / "other")
    home.give(environ)
    assert environ["HOME"] == "/"


def test_the_folder_for_temporary_files_comes_first(
    environ: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "mine").mkdir()
    environ["TMPDIR"] = str(tmp_path / "mine")
    home.give(environ)
    assert environ["HOME"] == str(tmp_path / f"mine/home-{UNKNOWN}")


def test_who_has_a_name_or_a_home_keeps_it(environ: dict[str, str], tmp_path: Path) -> None:
    environ["HOME"] = "/srv"
    home.give(environ)
    assert environ == {"HOME": "/srv", "LOGNAME": str(UNKNOWN), "USER": str(UNKNOWN)}
    named = {"HOME": "/", "USER": "ann"}
    home.give(named)
    assert named == {"HOME": str(tmp_path / f"home-{UNKNOWN}"), "USER": "ann"}


def test_a_login_has_all_of_it() -> None:
    assert not environment.may_lack_a_home({"HOME": "/root", "USER": "root"})
    assert environment.may_lack_a_home({"HOME": "/root"})
    assert environment.may_lack_a_home({"USER": "root"})


def test_the_first_process_ends_at_sigterm_at_once(python: Interpreter) -> None:
    code = f"{AS_FIRST}\nos.kill(os.getpid(), signal.SIGTERM); print('lives')"
    done = python("-c", code)
    assert (done.returncode, done.stdout, done.stderr) == (143, "", "")


def test_a_program_sees_the_default_action_and_can_put_it_back(python: Interpreter) -> None:
    code = f"""{AS_FIRST}
print(signal.getsignal(signal.SIGTERM) is signal.SIG_DFL)
print(signal.signal(handler=signal.SIG_IGN, signalnum=signal.SIGTERM) is signal.SIG_DFL)
os.kill(os.getpid(), signal.SIGTERM)
print(signal.signal(signal.SIGTERM, signal.SIG_DFL) is signal.SIG_IGN, flush=True)
os.kill(os.getpid(), signal.SIGTERM)
print("lives")"""
    done = python("-c", code)
    assert (done.returncode, done.stdout.split()) == (143, ["True"] * 3), done.stderr


def test_who_handles_or_ignores_it_already_is_left_alone(python: Interpreter) -> None:
    code = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n{AS_FIRST}"
    done = python("-c", f"{code}\nos.kill(os.getpid(), signal.SIGTERM); print('lives')")
    assert (done.returncode, done.stdout) == (0, "lives\n"), done.stderr


def test_a_forked_child_ends_as_ever_also_at_once(python: Interpreter) -> None:
    """What comes before the child has taken our handler off is not lost: 300 tries."""
    code = f"""{AS_FIRST}
ends = set()
for _ in range(300):
    child = os.fork()
    if child == 0:
        for _ in range(3000):
            pass
        signal.alarm(5)
        signal.pause()
    os.kill(child, signal.SIGTERM)
    ends.add(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
print(ends, signal.pthread_sigmask(signal.SIG_BLOCK, []), first_process._masks)"""
    done = python("-c", code)
    assert done.stdout == "{-15} set() {}\n", done.stderr


def test_a_fork_leaves_a_mask_of_the_programs_as_it_is(python: Interpreter) -> None:
    code = f"""{AS_FIRST}
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
child = os.fork()
print(signal.SIGTERM in signal.pthread_sigmask(signal.SIG_BLOCK, []), flush=True)
if child:
    os.waitpid(child, 0)"""
    done = python("-c", code)
    assert done.stdout == "True\n" * 2, done.stderr
