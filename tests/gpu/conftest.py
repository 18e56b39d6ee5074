"""The GPU proof needs what the tests in containers have, and a GPU."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from docker.errors import APIError
from docker.types import DeviceRequest

from scripts.engine.engine import Engine
from scripts.places import REPO
from tests.image.conftest import (  # fixtures, found here by name
    RunInImage,
    client,
    host,
    run_in_release,
)
from tf_repro.machine import gpu

__all__ = ["client", "host", "run_in_release"]

IMAGE = os.environ.get("GPU_IMAGE", "2.15-gpu")
ALL_GPUS = {"device_requests": [DeviceRequest(count=-1, capabilities=[["gpu"]])]}
# What a run on a GPU measured; whoever has one commits it, see tests/gpu/README.md.
FIGURES = REPO / "build/gpu-proof.json"
Gpu = Callable[..., Any]


@pytest.fixture(scope="session")
def on_gpu(host: Engine, run_in_release: Callable[[str], RunInImage]) -> RunInImage:
    """Return a way to run in IMAGE with all GPUs, or skip with the reason why there are none."""
    if host.host.startswith("unix://") and not gpu.driver_version():
        pytest.skip("no GPU here: this machine has no NVIDIA driver loaded")
    run = run_in_release(IMAGE)
    try:
        done = run(["tf-repro", "doctor"], settings=ALL_GPUS)
    except APIError as error:
        pytest.skip(f"no GPU for containers here: {error.explanation}")
    reason = next(line for line in done.stdout.splitlines() if "a GPU is seen" in line)
    if not reason.startswith("yes"):
        pytest.skip(f"no GPU for containers here: {reason}")
    return run


@pytest.fixture(scope="session")
def figures(on_gpu: RunInImage) -> Iterator[dict[str, Any]]:
    """Collect what is measured, and write it when all is done."""
    smi = ["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"]
    measured: dict[str, Any] = {
        "date": time.strftime("%Y-%m-%d"),
        "image": on_gpu.image,
        "gpus": on_gpu(smi, settings=ALL_GPUS).stdout.splitlines(),
        "programs": {},
    }
    yield measured
    FIGURES.parent.mkdir(exist_ok=True)
    FIGURES.write_text(json.dumps(measured, indent=1) + "\n")
