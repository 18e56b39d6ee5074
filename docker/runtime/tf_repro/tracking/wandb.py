"""Weights & Biases: what made the run in its configuration, its passport as an artefact.

https://docs.wandb.ai/ref/python/
"""

import json
import sys
import weakref
from collections.abc import Callable
from types import ModuleType
from typing import Any

from tf_repro import patch
from tf_repro.tracking import run_passport
from tf_repro.tracking.leaving import at_exit, safely

TRACKER = "Weights & Biases"
NAME = "tf_repro"
# Of an artefact; W&B lists those of one kind together.
KIND = "tf-repro-passport"

_running: "weakref.WeakSet[Any]" = weakref.WeakSet()


@safely(TRACKER)
def _begin(run: Any) -> None:
    run.config.update({NAME: run_passport.settings()}, allow_val_change=True)
    if run not in _running:
        _running.add(run)
        at_exit(lambda: _end(run))


@safely(TRACKER)
def _end(run: Any) -> None:
    if run not in _running:
        return
    _running.discard(run)
    passport = run_passport.whole()
    weights = passport["results"]["final_weights"]
    if weights:
        run.summary[f"{NAME}.final_weights"] = weights
    artifact = sys.modules["wandb"].Artifact(f"{KIND}-{run.id}", type=KIND)
    with artifact.new_file(run_passport.FILE) as file:
        json.dump(passport, file, indent=1)
    run.log_artifact(artifact)


def _on_init(module: ModuleType) -> None:
    @patch.around(module, "init")
    def init(original: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        run = original(*args, **kwargs)
        _begin(run)
        return run


def _on_run(module: ModuleType) -> None:
    @patch.around(module, "Run.finish")
    def finish(original: Callable[..., Any], self: Any, *args: Any, **kwargs: Any) -> Any:
        _end(self)
        return original(self, *args, **kwargs)


ON_IMPORT: "dict[str, Callable[[ModuleType], None]]" = {
    "wandb.sdk.wandb_init": _on_init,
    "wandb.sdk.wandb_run": _on_run,
}
