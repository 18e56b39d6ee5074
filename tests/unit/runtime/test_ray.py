"""Ray's tasks: numbered where they are submitted, and drawn from their own streams by a worker."""

import sys
from collections.abc import Iterable, Mapping
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from tf_repro import streams
from tf_repro.sources import ray as source

SEED = 7
Named = Mapping[str, object]


class FakeFunction:
    """What Ray makes of a function: _remote packs the arguments, and nothing where none is."""

    def __init__(self, signature: ModuleType) -> None:
        self.signature = signature

    def _remote(
        self,
        args: tuple[object, ...] | None = None,
        kwargs: Named | None = None,
        runtime_env: Named | None = None,
    ) -> list[Any]:
        del runtime_env
        if not args and not kwargs:
            return []
        flat: list[Any] = self.signature.flatten_args([], args, kwargs or {})
        return flat


class FakeRay:
    """The modules of Ray that are patched, one for a driver and a worker."""

    def __init__(self) -> None:
        self.signature = ModuleType("ray._common.signature")
        vars(self.signature).update(flatten_args=flatten_args, recover_args=recover_args)
        self.functions = ModuleType("ray.remote_function")
        self.actors = ModuleType("ray.actor")
        vars(self.functions)["RemoteFunction"] = type("RemoteFunction", (FakeFunction,), {})
        vars(self.actors)["ActorClass"] = type("ActorClass", (FakeFunction,), {})
        for module in (self.signature, self.functions, self.actors):
            source.ON_IMPORT[module.__name__](module)

    def submit(self, *args: object, **kwargs: object) -> list[Any]:
        """Return what travels to the worker."""
        made = self.functions.RemoteFunction(self.signature)
        flat: list[Any] = made._remote(args=args, kwargs=kwargs)
        return flat


def flatten_args(_signature: list[Any], args: Iterable[object], kwargs: Named) -> list[Any]:
    flat: list[Any] = []
    for one in args:
        flat += ["dummy", one]
    for name, value in kwargs.items():
        flat += [name, value]
    return flat


def recover_args(flattened_args: list[Any]) -> list[Any]:
    return list(flattened_args)


@pytest.fixture
def ray(monkeypatch: pytest.MonkeyPatch) -> FakeRay:
    monkeypatch.setattr(streams, "state", streams.State(SEED))
    become(monkeypatch, "driver")
    return FakeRay()


def become(monkeypatch: pytest.MonkeyPatch, mode: str, job: str = "{}") -> None:
    """Have this process be a worker of Ray, or a driver; `job` is the runtime_env of its job."""
    told = SimpleNamespace(mode=mode, connected=True, runtime_env=job)
    worker = SimpleNamespace(global_worker=told, WORKER_MODE="worker")
    monkeypatch.setitem(sys.modules, "ray._private.worker", worker)


def drawn() -> int:
    return streams.supply("test", 64)


def test_a_task_draws_by_its_number_in_whatever_worker(
    ray: FakeRay, monkeypatch: pytest.MonkeyPatch
) -> None:
    tasks = [ray.submit(), ray.submit(1), ray.submit(x=2)]
    become(monkeypatch, "worker")
    numbers = []
    for order in (tasks, tasks[::-1]):
        streams.state = streams.State(0)
        taken = []
        for task in order:
            ray.signature.recover_args(task)
            taken.append(drawn())
        numbers.append(taken)
    assert numbers[0] == numbers[1][::-1]
    assert len(set(numbers[0])) == len(tasks)


def test_arguments_come_through(ray: FakeRay, monkeypatch: pytest.MonkeyPatch) -> None:
    become(monkeypatch, "worker")
    for args, kwargs in (((), {}), ((1, 2), {}), ((1,), {"x": 2}), ((), {"args": ()})):
        expected = flatten_args([], args, kwargs)
        assert ray.signature.recover_args(ray.submit(*args, **kwargs)) == expected
    assert ray.signature.recover_args([]) == []


def test_the_seeds_of_the_script_travel(ray: FakeRay, monkeypatch: pytest.MonkeyPatch) -> None:
    become(monkeypatch, "worker")
    numbers = set()
    for seed in (1, 2):
        streams.state = streams.State(SEED)
        streams.note_own_seed("random", seed)
        task = ray.submit()
        streams.state = streams.State(0)
        ray.signature.recover_args(task)
        assert streams.state.seed == SEED
        numbers.add(drawn())
    assert len(numbers) == 2


def test_local_mode_leaves_the_script_alone(ray: FakeRay, monkeypatch: pytest.MonkeyPatch) -> None:
    become(monkeypatch, "local")
    before = streams.state.process
    assert ray.signature.recover_args(ray.submit(1)) == ["dummy", 1]
    assert streams.state.process is before


@pytest.mark.parametrize(
    ("own", "job", "numbered"),
    [
        ({}, "{}", True),
        ({"pip": ["x"], "env_vars": {"HOME": "/"}}, '{"env_vars": {"HOME": "/"}}', True),
        ({"conda": "other"}, "{}", False),
        ({"env_vars": {"TF_REPRO": "off"}}, "{}", False),
        ({}, '{"py_executable": "python3.9"}', False),
        ({}, '{"env_vars": {"TF_REPRO": "off"}}', False),
    ],
)
def test_where_we_may_not_be_nothing_travels(
    ray: FakeRay, monkeypatch: pytest.MonkeyPatch, own: dict[str, Any], job: str, *, numbered: bool
) -> None:
    become(monkeypatch, "driver", job)
    function = ray.functions.RemoteFunction(ray.signature)
    flat = function._remote(args=(1,), runtime_env=own)
    assert (len(flat) > len(["dummy", 1])) == numbered


def test_actors_count_apart_and_methods_not_at_all(ray: FakeRay) -> None:
    actor = ray.actors.ActorClass(ray.signature)
    task, made = ray.submit(), actor._remote()
    assert task[-1][0] == "/ray-task1"
    assert made[-1][0] == "/ray-actor1"
    # Ray itself calls _remote again for an actor that may be there already.
    args = source.Numbered((1,))
    args.path = "/x"
    assert actor._remote(args=args)[-1][0] == "/x"
    assert ray.signature.flatten_args([], (1,), {}) == ["dummy", 1]
