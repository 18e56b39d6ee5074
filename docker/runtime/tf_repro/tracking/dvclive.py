"""DVCLive: the passport, and a file of the results' digest alone, for a stage to depend on.

The second holds no time, no metric and nothing of the machine, so that a stage of DVC which depends
on it runs again when the bits have moved, and not when something around them has.
https://dvc.org/doc/dvclive/live
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from tf_repro import patch
from tf_repro.tracking import run_passport
from tf_repro.tracking.leaving import safely

TRACKER = "DVCLive"
DIGEST = "tf-repro-digest.json"


@safely(TRACKER)
def _end(live: Any) -> None:
    passport, folder = run_passport.whole(), Path(live.dir)
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / run_passport.FILE, passport)
    _write(folder / DIGEST, {"final_weights": passport["results"]["final_weights"]})


def _write(path: Path, content: "Mapping[str, Any]") -> None:
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    partial.replace(path)


def _on_live(module: ModuleType) -> None:
    @patch.around(module, "Live.end")
    def end(original: Callable[..., Any], self: Any, *args: Any, **kwargs: Any) -> Any:
        _end(self)
        return original(self, *args, **kwargs)


ON_IMPORT: "dict[str, Callable[[ModuleType], None]]" = {"dvclive.live": _on_live}
