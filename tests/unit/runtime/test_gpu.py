"""Why no GPU is seen: machines of every kind, made of folders and of a driver that is not there."""

import ctypes
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest

from tests.unit.runtime.conftest import Interpreter
from tf_repro.doctor import raising_ops
from tf_repro.machine import gpu

VERSION = "NVRM version: NVIDIA UNIX x86_64 Kernel Module  {}  Tue Mar 5 22:42:15 UTC 2024\nGCC\n"
Load = Callable[[str], ctypes.CDLL]


class Driver:
    """A libcuda whose cuInit gives one status."""

    def __init__(self, status: int) -> None:
        self.status = status

    def cuInit(self, flags: int) -> int:  # noqa: D102, N802 - CUDA's name
        assert flags == 0
        return self.status


def loader(status: int | None = 0) -> Load:
    """Return a loader with a driver of this cuInit status, or with none."""

    def load(name: str) -> ctypes.CDLL:
        if name != "libcuda.so.1" or status is None:
            raise OSError(f"{name}: cannot open shared object file: No such file or directory")
        return cast("ctypes.CDLL", Driver(status))

    return load


@pytest.fixture
def expected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> gpu.Expected:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    path = tmp_path / "cuda.json"
    libraries = {"libcudart.so.12": "12.2.140", "libcudnn.so.8": "8.9.4.25"}
    stack = {"cuda": "12.2", "cudnn": "8.9", "driver": "525.60.13", "libraries": libraries}
    path.write_text(json.dumps(stack))
    return gpu.Expected(str(path))


def machine(folder: Path, driver: str = "", *nodes: str) -> str:
    (folder / "dev").mkdir()
    for node in nodes:
        (folder / "dev" / node).touch()
    if driver:
        version = folder / gpu.DRIVER_VERSION
        version.parent.mkdir(parents=True)
        version.write_text(VERSION.format(driver))
    return str(folder)


@pytest.mark.parametrize(
    ("driver", "nodes", "status", "reason"),
    [
        ("", (), None, "no device: this machine has no NVIDIA GPU"),
        ("535.161.07", ("nvidiactl",), None, "no toolkit: .*docker run --gpus all"),
        ("470.82.01", ("nvidia0",), 0, "driver too old: the host has 470.82.01, .* 525.60.13"),
        ("525.60.11", ("nvidia0",), 0, "driver too old: the host has 525.60.11"),
        ("535.161.07", ("nvidia0",), None, "libcuda.so.1, .* does not load .*compute"),
        ("535.161.07", ("nvidia0",), 803, "driver too old: it refuses CUDA 12.2"),
        ("535.161.07", ("nvidia0",), 100, "no device: the driver sees no GPU"),
        ("535.161.07", ("nvidia0",), 999, "the driver does not start: cuInit says 999"),
        ("535.161.07", ("nvidia0", "nvidiactl"), 0, "^$"),
        ("525.60.13", ("nvidia3",), 0, "^$"),
        ("", ("dxg",), 0, "^$"),
    ],
)
def test_the_first_thing_that_is_missing_is_the_reason(
    expected: gpu.Expected,
    tmp_path: Path,
    driver: str,
    nodes: tuple[str, ...],
    status: int | None,
    reason: str,
) -> None:
    root = tmp_path / "root"
    root.mkdir()
    said = gpu.why_none(expected, machine(root, driver, *nodes), loader(status))
    assert re.search(reason, said), said
    assert "\n" not in said


def test_a_hidden_gpu_is_said_before_all(
    expected: gpu.Expected, monkeypatch: pytest.MonkeyPatch
) -> None:
    for value in ("", "-1"):
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", value)
        assert gpu.why_none(expected).startswith(f"CUDA_VISIBLE_DEVICES={value} hides")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    assert "CUDA_VISIBLE_DEVICES" not in gpu.why_none(expected, "/nowhere", loader(0))


def test_the_library_that_does_not_load_is_named(expected: gpu.Expected) -> None:
    def load(name: str) -> ctypes.CDLL:
        if name == "libcudnn.so.8":
            raise OSError("libcudnn_cnn_infer.so.8: no such file")
        return ctypes.CDLL(None)

    broken = gpu.libraries(expected, load)
    assert broken == ["libcudnn.so.8: libcudnn_cnn_infer.so.8: no such file"]


def test_a_cpu_image_has_nothing_to_say(python: Interpreter) -> None:
    assert "GPU" not in python("-m", "tf_repro", "doctor").stdout


def test_the_ops_that_raise_are_listed(python: Interpreter) -> None:
    said = python("-m", "tf_repro", "doctor", "--ops")
    assert said.returncode == 0
    listed: dict[str, Any] = json.loads(
        python("-m", "tf_repro", "doctor", "--ops", "--json").stdout
    )
    assert [row["ops"] for row in listed["raise"]] == [row[0] for row in raising_ops.RAISE]
    for row in (*listed["raise"], *listed["closed"]):
        assert row["ops"] in said.stdout
        assert all(row.values())
