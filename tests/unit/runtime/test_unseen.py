"""Nobody can tell our pools, processes and threads from the library's own."""

import pytest

from tests.unit.runtime.conftest import Interpreter

PREAMBLE = '''
import concurrent.futures, functools, inspect, io, itertools, multiprocessing, os, pickle, pydoc
import re, sys, threading, traceback
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing.pool import Pool, ThreadPool

NAMES = ("self", "fn", "func", "function", "original", "args", "kwargs", "kwds", "cls", "task",
         "path", "pool", "iterable", "index", "item", "pair", "name", "target", "callback")
KEYWORDS = {name: name.upper() for name in NAMES}

def keywords(*args, **kwargs):
    return args, sorted(kwargs.items())

def fail(*_):
    try:
        raise KeyError("inner")
    except KeyError as error:
        raise ValueError("outer") from error

class Callable:
    def __call__(self, x): return x + 1
    def method(self, x): return x + 2

def told(call):
    """Return what a call gives, or all that can be seen of what it raises, but for our frames."""
    try:
        return call()
    except BaseException as error:
        seen = []
        while error is not None:
            words = re.sub("0x[0-9a-f]+", "0x", str(error).partition("Traceback")[0])
            seen.append((type(error).__name__, words))
            seen += [frame.name for frame in traceback.extract_tb(error.__traceback__)
                     if "tf_repro" not in frame.filename]
            error = error.__cause__
        return seen

def bad_items():
    yield 1
    raise OSError("an item")

class Counting:
    """Has a length, and counts how often it is gone through."""
    times = 0
    def __len__(self): return 3
    def __iter__(self):
        self.times += 1
        return iter((1, 2, 3))

def show(*what):
    print(*what, flush=True)
'''
BODIES = {
    "keywords of every name": """
        for executor in (ThreadPoolExecutor(1), ProcessPoolExecutor(1)):
            with executor:
                show(executor.submit(keywords, 1, **KEYWORDS).result())
        for pool in (ThreadPool(1), Pool(1)):
            with pool:
                show(pool.apply(keywords, (2,), KEYWORDS))
                show(pool.apply(func=keywords, args=(3,), kwds=KEYWORDS))
                show(pool.apply_async(func=keywords, kwds=KEYWORDS).get())
                show(pool.map(func=keywords, iterable=[1], chunksize=1))
                show(pool.starmap(func=keywords, iterable=[(1, 2)]))
                show(list(pool.imap(func=keywords, iterable=[1, 2, 3], chunksize=2)))
                show(list(pool.imap_unordered(iterable=[1], func=keywords)))
        thread = threading.Thread(target=lambda **kw: show(keywords(**kw)), kwargs=KEYWORDS)
        thread.start(); thread.join()
        def child(*args, **kw): show(keywords(*args, **kw))
        process = multiprocessing.get_context("fork").Process(
            None, child, "its name", (1,), KEYWORDS, daemon=True)
        show(process.name, process.daemon); process.start(); process.join(); show(process.exitcode)
    """,
    "what a function raises": """
        with ThreadPoolExecutor(1) as threads, ProcessPoolExecutor(1) as processes:
            for executor in (threads, processes):
                show(told(executor.submit(fail).result))
                show(told(lambda: list(executor.map(fail, [1, 2]))))
                show(told(executor.submit(sys.exit, 3).result))
        with ThreadPool(1) as threads, Pool(1) as processes:
            for pool in (threads, processes):
                show(told(lambda: pool.apply(fail)))
                show(told(lambda: pool.map(fail, [1])))
                show(told(lambda: pool.starmap(fail, [(1,)])))
                show(told(lambda: list(pool.imap(fail, [1]))))
                errors = []
                show(told(pool.apply_async(fail, error_callback=errors.append).get), errors)
    """,
    "calls that are wrong": """
        with ThreadPoolExecutor(1) as executor, ThreadPool(1) as pool:
            for call in (
                lambda: executor.submit(), lambda: executor.submit(fn=keywords),
                lambda: executor.submit(3).result(), lambda: executor.submit(keywords.nothing),
                lambda: pool.apply_async(), lambda: pool.apply_async(len, [], {}, func=len),
                lambda: pool.apply(3), lambda: pool.map(len), lambda: pool.map(len, 3),
                lambda: pool.imap(len), lambda: pool.imap(len, [1], what=2),
                lambda: list(pool.imap(len, 3)), lambda: pool.imap(len, [1], 0),
                lambda: pool.map(len, bad_items()), lambda: list(pool.imap(str, bad_items())),
                lambda: list(pool.imap_unordered(str, bad_items(), 2)),
            ):
                show(told(call))
        for call in (lambda: executor.submit(len, ""), lambda: pool.map(len, bad_items()),
                     lambda: pool.imap(len, [""]), lambda: pool.apply_async(len, ("",))):
            show(told(call))
        with ProcessPoolExecutor(1) as executor, Pool(1) as pool:
            show(told(executor.submit(lambda: 1).result))
            show(told(lambda: pool.apply(lambda: 1)))
            show(told(lambda: pool.apply(threading.Lock)))
    """,
    "functions of every kind": """
        partial = functools.partial(keywords, 1, self=2)
        kinds = (Callable(), Callable().method, str.upper, "x".join, functools.partial(pow, 2))
        for executor in (ThreadPoolExecutor(1), ProcessPoolExecutor(1)):
            with executor:
                show(executor.submit(partial, fn=3).result(), list(executor.map(abs, [-1, 2])))
                show([told(executor.submit(f, a).result)
                      for f, a in zip(kinds, (1, 1, "a", "ab", 3))])
                show(list(executor.map(pow, [1, 2, 3], [2, 2, 2], chunksize=2)))
        show(pickle.loads(pickle.dumps(ThreadPoolExecutor.submit)) is ThreadPoolExecutor.submit)
    """,
    "how tasks are cut up": """
        items = Counting()
        with Pool(2) as pool:
            show(pool.map(abs, items), items.times, pool.map(abs, []), pool.map(abs, iter([1, -2])))
            result = pool.map_async(abs, [1, 2, 3, 4, 5], chunksize=2)
            show(result._chunksize, result._number_left or 3, result.get())
            show(len(set(pool.map(os.getpid.__call__, []))))
        with Pool(1, initializer=os.putenv, initargs=("GIVEN", "1"), maxtasksperchild=2) as pool:
            show(pool._processes, len({pool.apply(os.getpid) for _ in range(4)}))
        with ProcessPoolExecutor(3) as executor:
            show(executor._max_workers, executor.submit(os.getpid).result() != os.getpid())
    """,
    "functions that are pickled": """
        import numpy as np, random
        for function in (np.random.seed, random.seed, random.Random.seed, np.random.default_rng,
                         ThreadPoolExecutor.submit, Pool.apply_async, random.random):
            again = told(lambda: pickle.loads(pickle.dumps(function)))
            show(again is function or again == function)
            show(inspect.signature(function), function.__name__)
        context = multiprocessing.get_context("spawn")
        with context.Pool(1, initializer=np.random.seed, initargs=(5,)) as pool:
            show(pool.apply(pow, (2, 3)))
    """,
    "signatures and help": """
        for owner, name in ((ThreadPoolExecutor, "submit"), (ProcessPoolExecutor, "submit"),
                            (Pool, "apply_async"), (Pool, "map"), (Pool, "imap"),
                            (multiprocessing.process.BaseProcess, "__init__")):
            function = getattr(owner, name)
            show(inspect.signature(function), function.__qualname__, function.__module__)
            show(inspect.getsource(function))
            show(pydoc.plain(pydoc.render_doc(function)))
            show(inspect.isfunction(function), inspect.iscoroutinefunction(function))
    """,
}


@pytest.mark.parametrize("body", BODIES)
def test_a_program_prints_the_same_as_without_us(python: Interpreter, body: str) -> None:
    code = f"{PREAMBLE}\nif __name__ == '__main__':\n  if True:{BODIES[body]}"
    written = f"import pathlib; pathlib.Path('program.py').write_text({code!r})"
    assert python("-c", written).returncode == 0
    ours, theirs = (python("program.py", env={"TF_REPRO": m}) for m in ("deterministic", "off"))
    assert theirs.stdout != ""
    assert (ours.stdout, ours.stderr) == (theirs.stdout, theirs.stderr)
    assert (ours.returncode, theirs.returncode) == (0, 0)
