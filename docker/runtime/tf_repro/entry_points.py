"""An entry point without a package: pytest finds the plugin, and `pip list` does not.

importlib.metadata asks every finder of sys.meta_path for distributions. pip and uv look into the
folders instead, so that a `pip freeze` of the image names nothing that no index has.
https://docs.python.org/3/library/importlib.metadata.html#extending-the-search-algorithm
"""

import importlib.metadata
import sys
from collections.abc import Iterable
from importlib.metadata import Distribution, DistributionFinder
from typing import Any

NAME = "tf-repro"
# The version of what the entry points offer, not of the image: that is in its labels.
VERSION = "1"
PLUGIN = "tf_repro.pytest_plugin"

_FILES = {
    "METADATA": f"Metadata-Version: 2.1\nName: {NAME}\nVersion: {VERSION}\n",
    # The module's own name: `-p tf_repro.pytest_plugin` is then the same plugin, and no second one.
    "entry_points.txt": f"[pytest11]\n{PLUGIN} = {PLUGIN}\n",
}


class _Ours(Distribution):
    """What `importlib.metadata` sees of us."""

    def read_text(self, filename: str) -> "str | None":
        return _FILES.get(filename)

    def locate_file(self, path: Any) -> Any:
        raise FileNotFoundError(path)


def found(context: DistributionFinder.Context) -> Iterable[importlib.metadata.Distribution]:
    """Return our distribution to whoever searches all of sys.path, and to nobody else."""
    wanted = (context.name or NAME).replace("_", "-").lower() == NAME
    return [_Ours()] if wanted and context.path is sys.path else []
