"""Unit tests need no engine and no network, and leave the kit's real data alone."""

from pathlib import Path

import pytest
from hypothesis import settings

# The same examples in every run, and no deadline on a busy machine.
# https://hypothesis.readthedocs.io/en/latest/reference/api.html#built-in-profiles
settings.load_profile("ci")


@pytest.fixture(autouse=True)
def data_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give every test a data root of its own."""
    root = tmp_path / "data"
    monkeypatch.setenv("TF_REPRO_DATA", str(root))
    for name in ("REGISTRY", "IMAGE_NAME", "DEB_SOURCES", "DEB_ARCHIVE"):
        monkeypatch.delenv(name, raising=False)
    return root
