"""tf-repro audit and doctor, with Python's own sources of randomness."""

import json
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.runtime.conftest import Interpreter
from tf_repro.audit import command, notes

PROGRAM = """\
import multiprocessing, os, random, sys, threading, uuid
def draw(_=None): return random.random()
for _ in range(3): random.random()
random.Random(); random.Random()
uuid.uuid4()
os.listdir('.')
with multiprocessing.Pool(2) as pool: pool.map(draw, range(4))
threading.Thread(target=draw).start()
random.seed(7)
random.random(); random.Random(7)
print('printed'); sys.exit(3)
"""


@pytest.fixture
def rows(python: Interpreter, tmp_path: Path) -> dict[tuple[int, str], dict[str, object]]:
    (tmp_path / "program.py").write_text(PROGRAM)
    run = python("-m", "tf_repro", "audit", "--json", "--", "python3", "program.py")
    assert run.returncode == 3, run.stderr
    assert run.stderr == "printed\n"
    report = json.loads(run.stdout)
    assert (report["command"], report["exit_status"]) == (["python3", "program.py"], 3)
    mine = [row for row in report["rows"] if row["file"].endswith("program.py")]
    return {(row["line"], row["what"]): row for row in mine}


def test_names_every_place_and_what_it_got(
    rows: dict[tuple[int, str], dict[str, object]],
) -> None:
    def seen(line: int, what: str) -> tuple[object, ...]:
        row = rows[line, what]
        return row["outcome"], row["count"], row["first_stream"], row["last_stream"]

    assert seen(3, "random (global)") == ("global seed", 3, ":random", ":random")
    assert seen(4, "random.Random") == ("stream", 2, ":random.Random#0", ":random.Random#1")
    assert seen(5, "os.urandom")[:2] == ("stays random", 1)
    assert seen(6, "os.listdir")[:2] == ("not ordered", 1)


def test_follows_children_and_threads(rows: dict[tuple[int, str], dict[str, object]]) -> None:
    row = rows[2, "random (global)"]
    assert row["count"] == 5
    assert row["shared_by_threads"]
    assert "/Pool1/task1[" in f"{row['first_stream']}{row['last_stream']}"


def test_says_nothing_of_what_the_script_seeded(
    rows: dict[tuple[int, str], dict[str, object]],
) -> None:
    assert not [line for line, _ in rows if line == 10]


def test_the_table_says_it_too(python: Interpreter, tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text("import random\nrandom.Random()\n")
    run = python("-m", "tf_repro", "audit", "--", "python3", "program.py")
    assert run.returncode == 0
    assert "random.Random" in run.stdout
    assert "program.py:2  :random.Random#0" in run.stdout


def test_changes_nothing(python: Interpreter) -> None:
    argv = ["-c", "import random; print(random.random(), random.Random().random())"]
    audited = python("-m", "tf_repro", "audit", "--", "python3", *argv)
    assert audited.stdout.startswith(python(*argv).stdout)


def test_a_program_without_randomness(python: Interpreter) -> None:
    run = python("-m", "tf_repro", "audit", "--", "python3", "-c", "print(1)")
    assert run.stdout == "1\ntf-repro: nothing in this program would be random\n"


def test_audit_needs_hooks_and_a_program(python: Interpreter) -> None:
    argv = ["-m", "tf_repro", "audit", "--"]
    off = python(*argv, "true", env={"TF_REPRO": "off"})
    assert (off.returncode, off.stdout) == (2, "")
    assert off.stderr.count("\n") == 1
    missing = python(*argv, "no-such-program")
    assert missing.returncode == 127
    assert missing.stderr == "tf-repro: no-such-program: No such file or directory\n"


def test_rows_of_several_processes_become_one() -> None:
    row = {"what": "w", "outcome": "o", "file": "f", "line": 1, "threads": ["a"]}
    first = {**row, "count": 2, "first_stream": "s#1", "last_stream": "s#2", "process": 1}
    second = {**row, "count": 3, "first_stream": "s#0", "last_stream": "s#1", "process": 2}
    (one,) = command.merged([first, second])
    assert (one["count"], one["processes"], one["shared_by_threads"]) == (5, 2, False)
    assert (one["first_stream"], one["last_stream"]) == ("s#0", "s#2")


MEMBERS = """
import os, random, subprocess, sys
if sys.argv[1:]:
    print(random.random(), random.Random().random())
else:
    for seed in ({seeds}):
        env = os.environ | {{"TF_REPRO_SEED": seed}}
        subprocess.run([sys.executable, __file__, "member"], env=env, check=True)
"""


@pytest.mark.parametrize(("seeds", "alike"), [("'42', '42', '42'", True), ("'1', '2'", False)])
def test_says_of_an_ensemble_that_its_members_are_one(
    python: Interpreter, tmp_path: Path, seeds: str, *, alike: bool
) -> None:
    (tmp_path / "program.py").write_text(MEMBERS.format(seeds=seeds))
    run = python("-m", "tf_repro", "audit", "--", sys.executable, "program.py")
    drawn = [line for line in run.stdout.splitlines() if line.startswith("0.")]
    assert (len(set(drawn)) == 1) == alike
    assert ("3 interpreters of their own began at the seed" in run.stdout) == alike
    assert ("began at the seed" in run.stdout) == alike


def test_names_an_interpreter_whose_hashes_are_random(python: Interpreter) -> None:
    for seed, said in (("random", True), ("042", False)):
        argv = ("-m", "tf_repro", "audit", "--", sys.executable, "-c", "print({'a', 'b'})")
        run = python(*argv, env={"PYTHONHASHSEED": seed})
        assert ("  hashes of str        1 x  PYTHONHASHSEED=random\n" in run.stdout) == said


def doctor(python: Interpreter, *flags: str, **env: "str | None") -> dict[str, tuple[str, str]]:
    run = python(*flags, "-m", "tf_repro", "doctor", "--json", env=env)
    report = json.loads(run.stdout)
    guarantees = {row["reason"].split("=")[0]: row for row in report["guarantees"]}
    assert run.returncode == (0 if report["guarantees"][0]["given"] == "yes" else 1)
    return {reason: (row["given"], row["reason"]) for reason, row in guarantees.items()}


def test_doctor_finds_a_sound_interpreter_sound(python: Interpreter) -> None:
    found = doctor(python)
    for name in ("PYTHONHASHSEED", "TF_DETERMINISTIC_OPS", "OPENBLAS_NUM_THREADS"):
        assert found[name][0] == "yes"


def test_doctor_finds_what_is_wrong(python: Interpreter) -> None:
    found = doctor(python, OPENBLAS_NUM_THREADS="3", PYTHONHASHSEED="random", TF_REPRO="seed")
    assert found["OPENBLAS_NUM_THREADS"][0] == "NO"
    assert found["PYTHONHASHSEED"] == ("NO", "PYTHONHASHSEED=random")
    assert found["TF_DETERMINISTIC_OPS"][0] == "NO"


def test_doctor_calls_an_empty_hash_seed_by_name(python: Interpreter) -> None:
    words = "PYTHONHASHSEED is empty, which Python takes for random"
    assert doctor(python, PYTHONHASHSEED="")[words] == ("NO", words)


def test_doctor_sees_that_random_hashes_are_asked_for(python: Interpreter) -> None:
    assert doctor(python, "-R")["-R asks for random ones"][0] == "NO"


def test_doctor_finds_an_interpreter_without_us(python: Interpreter) -> None:
    assert doctor(python, TF_REPRO="off")["TF_REPRO"] == ("NO", "TF_REPRO=off")
    run = python("-S", "-m", "tf_repro", "doctor")
    assert run.returncode == 1
    assert "NO     libraries are seeded" in run.stdout


TASKS = """
import random, sys
from multiprocessing.pool import Pool, ThreadPool

def draw(_):
    return random.Random().random()

if __name__ == "__main__":
    with {pool}(3) as pool:
        pool.map(draw, range(12), chunksize=1)
"""


@pytest.mark.parametrize("pool", ["Pool", "ThreadPool"])
def test_the_range_of_twelve_tasks_goes_by_their_numbers(
    python: Interpreter, tmp_path: Path, pool: str
) -> None:
    (tmp_path / "program.py").write_text(TASKS.format(pool=pool))
    run = python("-m", "tf_repro", "audit", "--", "python3", "program.py")
    path = f"/{pool}1/task1"
    assert "12 x  " in run.stdout
    assert f"  {path}[0]:random.Random#0 to {path}[11]:random.Random#0\n" in run.stdout


@given(st.text("a[]/:#0129é²٣"), st.text("a[]/:#0129é²٣"))
def test_any_two_names_of_streams_can_be_put_in_order(one: str, other: str) -> None:
    first, last = sorted([one, other], key=notes.order)
    assert notes.order(first) <= notes.order(last)
    assert notes.order("s[9]") < notes.order("s[10]")
