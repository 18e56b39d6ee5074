"""Arm tf_repro, then run the user's own sitecustomize, if there is one further down sys.path.

This file replaces the one that Debian ships in the standard library's folder: that place is
searched before site-packages, in every virtual environment, and under -I and -E too.
"""

# The two modules behind importlib, which are there at every start; importlib itself is not.
import _frozen_importlib
import _frozen_importlib_external
import os
import sys

import tf_repro.start


def _may_hold(entry: str, name: str) -> bool:
    if entry.endswith((".zip", ".egg")):
        return True
    for suffix in ("", ".py", ".pyc"):
        try:
            os.stat(f"{entry}/{name}{suffix}")  # noqa: PTH116  # pathlib costs 4 ms
        except (OSError, ValueError):
            continue
        return True
    return False


def _chain_load(name: str, file: str) -> None:
    """Run the next module called `name` on sys.path after the one in `file`, if there is one.

    It takes our place in sys.modules. What it raises, site reports as it always does.
    """
    here = os.path.dirname(file)  # noqa: PTH120  # pathlib costs 4 ms
    if here not in sys.path:
        return
    # Only what comes after us: a sitecustomize before us has run already, and may have called us.
    path = sys.path[sys.path.index(here) + 1 :]
    # Looking is a hundred times cheaper than asking PathFinder, which lists every folder.
    if not any(_may_hold(entry, name) for entry in path):
        return
    spec = _frozen_importlib_external.PathFinder.find_spec(name, path)
    if spec is not None and spec.loader is not None:
        module = _frozen_importlib.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)


tf_repro.start.once()
_chain_load(__name__, __file__)
