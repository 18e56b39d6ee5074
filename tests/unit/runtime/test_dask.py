"""Dask's tasks: each draws from the stream of its key, and keys stay unique."""

import multiprocessing
import uuid
from collections.abc import Callable
from types import ModuleType, SimpleNamespace

import pytest

from tf_repro import streams
from tf_repro.sources import dask as source

SEED = 7
KEY = "sum-00f1e2d3c4b5a69788796a5b4c3d2e1f"


@pytest.fixture
def reseeded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the paths from which global generators have been seeded."""
    monkeypatch.setattr(streams, "state", streams.State(SEED))
    paths: list[str] = []
    monkeypatch.setattr(streams, "reseed_all", lambda: paths.append(streams.scope().path))
    return paths


def become_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have this process be one that another one has started."""
    monkeypatch.setattr(multiprocessing, "parent_process", lambda: "the script")


def keys(count: int, module: str = "dask.delayed") -> list[str]:
    """Return keys of tasks that may not be merged, as Dask makes them."""
    streams.state = streams.State(SEED)
    made = ModuleType(module)
    vars(made)["uuid"] = uuid
    source.ON_IMPORT[module](made)
    return [f"draw-{made.uuid.uuid4()}" for _ in range(count)]


def execute(key: object) -> int:
    """Run the task of a key on a scheduler without a cluster, and return what it draws."""
    module = ModuleType("dask.local")
    vars(module)["execute_task"] = lambda _key, draw: draw()
    source.ON_IMPORT[module.__name__](module)
    drawn: int = module.execute_task(key, lambda: streams.supply("test", 64))
    return drawn


def on_a_worker(key: object, threads: int, draw: Callable[[], int]) -> int:
    module = ModuleType("distributed.worker")
    vars(module)["_run_task"] = lambda _task, _data, _state, _key, *_rest: draw()
    source.ON_IMPORT[module.__name__](module)
    state = {"worker": SimpleNamespace(state=SimpleNamespace(nthreads=threads))}
    drawn: int = module._run_task(None, {}, state, key, {}, None, 0.0)
    return drawn


@pytest.mark.usefixtures("reseeded")
def test_keys_are_unique_and_their_streams_the_same_in_every_run() -> None:
    one, two = keys(3), keys(3)
    assert len({*one, *two}) == 6
    assert all(uuid.UUID(key.removeprefix("draw-")).version == 4 for key in one)
    drawn = [[execute(key) for key in of_run] for of_run in (one, two)]
    assert drawn[0] == drawn[1]
    assert len(set(drawn[0])) == 3


@pytest.mark.usefixtures("reseeded")
def test_the_script_seeds_what_has_a_uuid() -> None:
    before = source.path(keys(1)[0])
    made = ModuleType("distributed.client")
    vars(made)["uuid"] = uuid
    source.ON_IMPORT[made.__name__](made)
    streams.state = streams.State(SEED)
    streams.note_own_seed("numpy", 1)
    assert source.path(f"draw-{made.uuid.uuid4()}") != before
    assert uuid.uuid4.__module__ == "uuid"
    assert made.uuid.UUID is uuid.UUID


@pytest.mark.usefixtures("reseeded")
def test_a_task_draws_again_what_it_drew() -> None:
    assert execute(KEY) == execute(KEY)
    assert execute((KEY, 0)) != execute((KEY, 1))
    before = streams.scope()
    execute(KEY)
    assert streams.scope() is before


def test_a_worker_of_one_thread_seeds_its_generators(
    reseeded: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def draw() -> int:
        return streams.supply("test", 64)

    alone = on_a_worker(KEY, 1, draw)
    assert reseeded == []  # in the script's own process they are the script's
    become_worker(monkeypatch)
    assert on_a_worker(KEY, 2, draw) == alone
    assert reseeded == []  # other threads draw from them
    assert on_a_worker(KEY, 1, draw) == alone == execute(KEY)
    assert reseeded == [source.path(KEY)] * 2
