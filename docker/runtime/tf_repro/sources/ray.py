"""Ray: a task draws from its own stream, whichever worker takes it, and so does an actor.

Whoever submits a task or makes an actor numbers it, as a pool's tasks are. The number travels among
the arguments, which Ray packs with flatten_args and unpacks with recover_args in the worker, right
before it calls. The worker process then begins anew; an actor's methods go on from its creation, as
they would in a process of the script's own, so that an actor which seeds itself gets what it asked.
https://github.com/ray-project/ray/blob/ray-2.44.0/python/ray/_private/signature.py
"""

import sys
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

from tf_repro import patch, streams

# The name of the argument, which Ray takes off together with it.
_KEY = "__tf_repro_task__"
# What in a runtime_env has a task run where nobody knows of the argument: another Python, and
# TF_REPRO among its env_vars, as it may say off.
_ELSEWHERE = frozenset(("conda", "container", "image_uri", "py_executable", "TF_REPRO"))


class Numbered(tuple[Any, ...]):
    """The positional arguments of a task, with its path; true without any, so that they travel."""

    path: str

    def __bool__(self) -> bool:
        """Return true: Ray sends nothing at all where there are no arguments."""
        return True


def _numbering(kind: str) -> Callable[..., Any]:
    """Return what stands in for a function _remote, whose tasks count as `kind`."""

    def remote(
        original: Callable[..., Any], self: Any, args: Any = None, *rest: Any, **kwargs: Any
    ) -> Any:
        # Ray calls it again for an actor that may be there.
        if not isinstance(args, Numbered) and not _is_elsewhere(kwargs.get("runtime_env") or {}):
            args = Numbered(args or ())
            args.path = streams.child_path(kind)
        return original(self, args, *rest, **kwargs)

    return remote


def _is_elsewhere(own: Mapping[str, Any]) -> bool:
    """Return whether a task runs without us, by its own runtime_env or the whole job's."""
    worker = sys.modules["ray._private.worker"].global_worker
    job = str(worker.runtime_env) if worker.connected else ""  # JSON
    names = {*own, *(own.get("env_vars") or ())}
    return not _ELSEWHERE.isdisjoint(names) or any(f'"{name}"' in job for name in _ELSEWHERE)


def _on_remote_function(module: ModuleType) -> None:
    patch.around(module, "RemoteFunction._remote")(_numbering("ray-task"))


def _on_actor(module: ModuleType) -> None:
    patch.around(module, "ActorClass._remote")(_numbering("ray-actor"))


def _on_signature(module: ModuleType) -> None:
    @patch.around(module, "flatten_args")
    def flatten_args(
        original: Callable[..., list[Any]], signature_parameters: Any, args: Any, kwargs: Any
    ) -> list[Any]:
        flat = original(signature_parameters, args, kwargs)
        if isinstance(args, Numbered):
            state = streams.state
            flat += [_KEY, (args.path, state.seed, dict(state.own_seeds))]
        return flat

    @patch.around(module, "recover_args")
    def recover_args(original: Callable[..., Any], flattened_args: list[Any]) -> Any:
        if _KEY not in flattened_args[-2:-1]:  # names and values take turns
            return original(flattened_args)
        *flattened_args, _, (path, seed, own_seeds) = flattened_args
        if _in_worker():
            streams.state.seed, streams.state.own_seeds = seed, own_seeds
            streams.enter_process(path)
            streams.reseed_all()
        return original(flattened_args)


def _in_worker() -> bool:
    """Return whether this process only runs tasks: in Ray's local mode the script runs them."""
    worker = sys.modules["ray._private.worker"]
    return bool(worker.global_worker.mode == worker.WORKER_MODE)


ON_IMPORT: dict[str, Callable[[ModuleType], None]] = {
    "ray.actor": _on_actor,
    "ray.remote_function": _on_remote_function,
    # Newer releases have it in the first place, older ones in the second.
    "ray._common.signature": _on_signature,
    "ray._private.signature": _on_signature,
}
