"""MLflow: tags of each run that say how it was made, and its passport among its artefacts.

https://mlflow.org/docs/latest/ml/tracking/
"""

from collections.abc import Callable
from types import ModuleType
from typing import Any

from tf_repro import patch
from tf_repro.tracking import run_passport
from tf_repro.tracking.leaving import safely

TRACKER = "MLflow"
PREFIX = "tf_repro."


@safely(TRACKER)
def _begin(client: Any, run: Any) -> None:
    for name, value in run_passport.settings().items():
        client.set_tag(run.info.run_id, PREFIX + name, value)


@safely(TRACKER)
def _end(client: Any, run: Any) -> None:
    passport = run_passport.whole()
    weights = passport["results"]["final_weights"]
    if weights:
        client.set_tag(run.info.run_id, f"{PREFIX}final_weights", weights)
    client.log_dict(run.info.run_id, passport, run_passport.FILE)


def _on_fluent(module: ModuleType) -> None:
    @patch.around(module, "start_run")
    def start_run(original: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        run = original(*args, **kwargs)
        _begin(module.MlflowClient(), run)
        return run

    # MLflow itself ends the last run as the process ends.
    @patch.around(module, "end_run")
    def end_run(original: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        run = module.active_run()
        if run is not None:
            _end(module.MlflowClient(), run)
        return original(*args, **kwargs)


ON_IMPORT: "dict[str, Callable[[ModuleType], None]]" = {"mlflow.tracking.fluent": _on_fluent}
