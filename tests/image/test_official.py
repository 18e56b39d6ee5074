"""What Docker asks of its official images, and of Python's, in our own words.

https://github.com/docker-library/official-images/tree/master/test: of those for every image and
for `python`, all but python-hy, python-pip-requests-ssl, which want a network (a derived image's
`pip install` is test_derived), and python-no-pyc: what is compiled in our image is locked with it.
"""

import pytest

from tests.image.conftest import RunInImage

PROGRAMS = {
    "python-imports": """
import bz2, curses, dbm.gnu, dbm.ndbm, lzma, readline, tempfile, zlib
with tempfile.TemporaryDirectory() as folder:
    for kind in dbm.gnu, dbm.ndbm:
        with kind.open(f"{folder}/{kind.__name__}", "c") as base:
            base[b"seed"] = b"42"
            assert base[b"seed"] == b"42"
for module in bz2, lzma, zlib:
    assert module.decompress(module.compress(b"again and again" * 9)) == b"again and again" * 9
""",
    "python-sqlite3": """
import sqlite3
with sqlite3.connect(":memory:") as base:
    base.execute("create table runs (seed integer, name text)")
    base.execute("insert into runs values (?, ?)", (42, "first"))
    assert base.execute("select * from runs").fetchall() == [(42, "first")]
""",
    # A thread has a stack of its own: what recurses in it has to get an exception, not a crash.
    "python-stack-size": """
import threading
ended = []
def deeper(level):
    try:
        deeper(level + 1)
    except RecursionError:
        ended.append(level)
        raise SystemExit from None
thread = threading.Thread(target=deeper, args=(1,))
thread.start()
thread.join()
assert ended[0] > 900
""",
}


def test_utc(run_in_image: RunInImage) -> None:
    assert run_in_image(["date", "+%Z"]).stdout == "UTC\n"


def test_no_hard_coded_passwords(run_in_image: RunInImage) -> None:
    """An x in passwd refers to shadow; nothing, * and what begins with ! let nobody in by one."""
    fields = "cut -d: -f2 /etc/passwd /etc/shadow"
    passwords = run_in_image(["sh", "-c", fields]).stdout.split()
    assert "x" in passwords
    assert [one for one in passwords if one not in {"x", "*"} and not one.startswith("!")] == []


def test_override_cmd(run_in_image: RunInImage) -> None:
    assert run_in_image(["echo", "this instead"]).stdout == "this instead\n"


@pytest.mark.parametrize("mode", ["deterministic", "off"])
@pytest.mark.parametrize("program", PROGRAMS)
def test_python(run_in_image: RunInImage, program: str, mode: str) -> None:
    done = run_in_image(["python", "-c", PROGRAMS[program]], env={"TF_REPRO": mode})
    assert (done.exit_code, done.stdout, done.stderr) == (0, "", "")
