"""Children and pools: each task draws the same in every run, whoever runs it."""

import pytest

from tests.unit.runtime.conftest import Interpreter

PREAMBLE = """
import multiprocessing, random, sys, threading, time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

def draw(*_):
    time.sleep(random.SystemRandom().random() / 100)  # whoever comes first
    return random.random(), random.Random().random()

def unseeded(*_):
    time.sleep(random.SystemRandom().random() / 100)
    return random.Random().random()

def put(queue):
    queue.put(draw())

def main(method):
    context = multiprocessing.get_context(method)
    {body}

if __name__ == '__main__':
    if len(sys.argv) > 2:
        random.seed(int(sys.argv[2]))
    drawn = main(sys.argv[1])
    print(len(drawn), len(set(drawn)), *drawn)
"""
# Each pool is closed by its program: at an exit that overtakes the end of a forgotten executor,
# CPython 3.11 may write into the pipe that the executor's own thread has just closed.
# https://github.com/python/cpython/blob/v3.11.7/Lib/concurrent/futures/process.py#L92
POOL = "with context.Pool(2) as pool: return "
POOLS = {
    "map": POOL + "pool.map(draw, range(6))",
    "map in chunks": POOL + "pool.map(draw, range(6), chunksize=3)",
    "starmap": POOL + "pool.starmap(draw, [(1, 2)] * 6)",
    "imap": POOL + "list(pool.imap(draw, range(6), 2))",
    "imap_unordered": POOL + "sorted(pool.imap_unordered(draw, range(6)))",
    "apply_async": POOL + "[task.get() for task in [pool.apply_async(draw) for _ in range(6)]]",
    "executor": """
    with ProcessPoolExecutor(2, context) as executor:
        return list(executor.map(draw, range(6)))""",
    "processes": """
    drawn = []
    for _ in range(6):
        queue = context.Queue()
        process = context.Process(target=put, args=(queue,))
        process.start()
        drawn.append(queue.get())
        process.join()
    return drawn""",
    "two pools": """
    with context.Pool(2) as one, context.Pool(2) as two:
        return one.map(draw, range(3)) + two.map(draw, range(3))""",
}


def drawn(python: Interpreter, body: str, *argv: str) -> list[str]:
    code = PREAMBLE.replace("{body}", body)
    script = f"import pathlib; pathlib.Path('program.py').write_text({code!r})"
    assert python("-c", script).returncode == 0
    run = python("program.py", *argv)
    assert run.stderr == ""
    return run.stdout.split(maxsplit=2)


@pytest.mark.parametrize("pool", POOLS)
def test_forked_pools_draw_the_same_in_every_run(python: Interpreter, pool: str) -> None:
    first, second = (drawn(python, POOLS[pool], "fork") for _ in range(2))
    assert first[:2] == ["6", "6"]
    assert first == second


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
@pytest.mark.parametrize("pool", ["map", "executor", "processes"])
def test_the_start_method_makes_no_difference(python: Interpreter, pool: str, method: str) -> None:
    assert drawn(python, POOLS[pool], method) == drawn(python, POOLS[pool], "fork")


def test_children_follow_what_the_script_seeds(python: Interpreter) -> None:
    one, two, again = (drawn(python, POOLS["map"], "fork", seed) for seed in ("1", "2", "1"))
    assert one == again != two


@pytest.mark.parametrize("pool", ["ThreadPoolExecutor(3)", "p.ThreadPool(3)"])
def test_unseeded_generators_in_threads_belong_to_the_task(python: Interpreter, pool: str) -> None:
    body = f"""
    import multiprocessing.pool as p
    with {pool} as pool:
        return list(pool.map(unseeded, range(8)))"""
    first, second = (drawn(python, body, "fork") for _ in range(2))
    assert first[:2] == ["8", "8"]
    assert first == second


def test_pools_are_random_in_mode_off(python: Interpreter) -> None:
    code = (
        "import random, multiprocessing as m\n"
        "with m.Pool(1) as pool: print(pool.apply(random.random))"
    )
    runs = {python("-c", code, env={"TF_REPRO": "off"}).stdout for _ in range(2)}
    assert len(runs) == 2


def test_an_observer_sees_each_task_that_ends_even_by_an_error(python: Interpreter) -> None:
    code = (
        "from tf_repro.tasks import Task\n"
        "Task.observer = lambda task: print('ended', task.path)\n"
        "Task(print, '/a')('runs')\n"
        "try: Task(int, '/b')('x')\n"
        "except ValueError: print('raises')\n"
    )
    assert python("-c", code).stdout.splitlines() == ["runs", "ended /a", "ended /b", "raises"]
