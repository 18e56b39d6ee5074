"""The record on disk: whole lines, a file for each process, and never the program's trouble."""

import pytest

from tests.unit.runtime.recording.conftest import Record
from tests.unit.runtime.recording.test_keras import FIT
from tf_repro.recording.format import VERSION, Kind

STEP = "optimizer.apply_gradients([(w * 1, w)])\n"
TWO = "w = tf.Variable([1.0])\noptimizer = keras.Optimizer()\n" + STEP + STEP


def test_a_forked_child_has_a_record_of_its_own(record: Record) -> None:
    recorded = record(
        TWO + "child = os.fork()\n"
        "if child == 0:\n"
        f"    {STEP}"
        "    os._exit(0)\n"
        "os.waitpid(child, 0)\n" + STEP
    )
    parent, child = recorded.processes
    assert [row["kind"] for row in parent].count(Kind.STEP) == 3
    assert [row["kind"] for row in child] == [Kind.HEADER, Kind.STEP]
    assert [row["step"] for row in parent if row["kind"] == Kind.STEP] == [1, 2, 3]


def test_a_forked_child_that_ends_does_not_end_the_parents_record(record: Record) -> None:
    recorded = record(
        TWO + "child = os.fork()\n"
        "if child == 0:\n"
        "    sys.exit()\n"  # with atexit, which multiprocessing's children do without
        "os.waitpid(child, 0)\n"
        "os._exit(0)\n"
    )
    assert not recorded.run.whole
    assert recorded.of(Kind.WEIGHTS) == []


def test_a_killed_program_leaves_all_but_the_end(record: Record) -> None:
    recorded = record(TWO + "os.kill(os.getpid(), 9)\n", fails=True)
    assert len(recorded.run.steps) == 2
    assert not recorded.run.whole


def test_every_process_begins_with_a_header_of_this_version(record: Record) -> None:
    recorded = record(TWO + "if os.fork() == 0:\n    " + STEP + "else:\n    os.wait()\n")
    assert [process[0]["kind"] for process in recorded.processes] == [Kind.HEADER] * 2
    assert {process[0]["version"] for process in recorded.processes} == {VERSION}


BREAKING = {
    # what is not recorded -> the line that breaks it, before a training that is like any other
    "a batch": "digest.of_examples = broken",
    "gradients": "digest.of = broken",
    "a step": "random_states.digests = broken",
    "the logs of an epoch": "extra = {'confusion': [1, 2]}",
}


@pytest.mark.parametrize("what", BREAKING)
def test_what_fails_in_recording_never_reaches_the_program(record: Record, what: str) -> None:
    program = (
        "from tf_repro.recording import digest, random_states\n"
        "extra = None\n"
        "def broken(*_):\n"
        "    raise RuntimeError('no such luck')\n"
        f"{BREAKING[what]}\n" + FIT.replace("epochs=2", "epochs=2, extra=extra")
    )
    recorded = record(program)
    assert recorded.stdout == record(FIT, TF_REPRO_RECORD="").stdout
    assert what in {each.what for each in recorded.run.unrecorded}
    assert recorded.run.whole


def test_a_folder_that_is_gone_is_said_once_on_stderr(record: Record) -> None:
    recorded = record(
        "where = os.environ['TF_REPRO_RECORD']\n"
        "os.environ['TF_REPRO_RECORD'] = where + '/gone'\n"
        + FIT
        + "os.environ['TF_REPRO_RECORD'] = where\n"
    )
    assert recorded.stdout == record(FIT, TF_REPRO_RECORD="").stdout
    assert "Traceback" not in recorded.stderr
    assert recorded.stderr.count("what an optimiser updates: not recorded: FileNotFoundError") == 1


def test_a_point_that_is_no_tensor_is_said_and_no_error(record: Record) -> None:
    recorded = record("import tf_repro\ntf_repro.record('x', object())\nprint('on')\n")
    assert recorded.stdout == "on\n"
    assert [each.what for each in recorded.run.unrecorded] == ["a point of the user"]


def test_lines_of_threads_are_whole(record: Record) -> None:
    recorded = record(
        "import threading\n"
        "from tf_repro.recording import writer\n"
        "def many(number):\n"
        "    for n in range(200):\n"
        "        writer.write('point', name=str(number) * 999, n=n, digest='')\n"
        "threads = [threading.Thread(target=many, args=(number,)) for number in range(4)]\n"
        "[one.start() for one in threads]\n"
        "[one.join() for one in threads]\n"
    )
    assert len(recorded.run.points) == 800
    assert {(len(set(each.name)), len(each.name)) for each in recorded.run.points} == {(1, 999)}
