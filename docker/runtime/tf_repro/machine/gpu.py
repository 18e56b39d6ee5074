"""Why TensorFlow sees no GPU: the device, the driver, the container toolkit, the libraries.

Each is looked for in the order in which TensorFlow needs it, and the first that is missing is the
reason. TensorFlow itself is not imported: where it finds no GPU it says so in one line, whatever
the reason. Nothing here needs a GPU.
"""

import ctypes
import json
import os
import re
from pathlib import Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Load = Callable[[str], ctypes.CDLL]

# What the image was built for, written by the kit; a CPU image has none.
EXPECTED = "/opt/tf-repro/cuda.json"
# The kernel module's own file; it is there in every container of a machine with a driver.
DRIVER_VERSION = "proc/driver/nvidia/version"
# https://docs.nvidia.com/cuda/cuda-driver-api/group__CUDA__TYPES.html (CUresult)
CUDA_ERROR_NO_DEVICE = 100
CUDA_ERROR_OUT_OF_DATE = (35, 803)


class Expected:
    """What a GPU image brings, and what it needs of the machine.

    Attributes:
        cuda: the stack's CUDA, as in "12.2".
        cudnn: its cuDNN, as in "8.9".
        driver: the least driver, as in "525.60.13".
        libraries: each library that TensorFlow opens, and the version of the wheel that has it.
    """

    def __init__(self, path: str = EXPECTED) -> None:
        data = json.loads(Path(path).read_text(encoding="utf-8"))
        self.cuda: str = data["cuda"]
        self.cudnn: str = data["cudnn"]
        self.driver: str = data["driver"]
        self.libraries: dict[str, str] = data["libraries"]


def is_gpu_image() -> bool:
    """Return whether this image has a CUDA stack."""
    return Path(EXPECTED).exists()


def libraries(expected: Expected, load: "Load" = ctypes.CDLL) -> list[str]:
    """Return, for each library that does not load, its name and the loader's reason."""
    broken = []
    for name in expected.libraries:
        try:
            load(name)
        except OSError as error:
            broken.append(f"{name}: {error}")
    return broken


def why_none(expected: Expected, root: str = "/", load: "Load" = ctypes.CDLL) -> str:
    """Return why no GPU is seen, and what to do; "" where nothing is in the way.

    Args:
        expected: what the image needs.
        root: the folder in which /dev and /proc are.
        load: opens a shared library by name.
    """
    return (
        _hidden()
        or _no_device(root)
        or _old_driver(expected, driver_version(root))
        or _driver_fails(expected, load)
    )


def _hidden() -> str:
    value = os.environ.get("CUDA_VISIBLE_DEVICES")
    if value is not None and value.strip() in ("", "-1"):
        return f"CUDA_VISIBLE_DEVICES={value} hides every GPU: unset it"
    return ""


def _no_device(root: str) -> str:
    devices = Path(root, "dev")
    nodes = [node.name for node in devices.iterdir()] if devices.is_dir() else []
    # /dev/dxg is the one device of a Linux under Windows.
    if any(re.fullmatch(r"nvidia\d+|dxg", node) for node in nodes):
        return ""
    if not driver_version(root):
        return "no device: this machine has no NVIDIA GPU, or its driver is not loaded"
    return (
        "no toolkit: this machine has a driver, and the container got no device: start it with "
        "`docker run --gpus all`, which needs NVIDIA's container toolkit on the host"
    )


def driver_version(root: str = "/") -> str:
    """Return the version of the machine's NVIDIA driver, "" where none is loaded."""
    try:
        text = Path(root, DRIVER_VERSION).read_text(encoding="utf-8")
    except OSError:
        return ""
    found = re.search(r"\b(\d+\.\d+(?:\.\d+)?)\b", text)
    return found[1] if found else ""


def _old_driver(expected: Expected, version: str) -> str:
    if version and _parts(version) < _parts(expected.driver):
        return (
            f"driver too old: the host has {version}, CUDA {expected.cuda} needs "
            f"{expected.driver} or later: update it, or take an image with an older CUDA"
        )
    return ""


def _parts(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def _driver_fails(expected: Expected, load: "Load") -> str:
    try:
        driver = load("libcuda.so.1")
    except OSError as error:
        return (
            f"libcuda.so.1, the driver's library, does not load ({error}): the toolkit mounts it "
            "where NVIDIA_DRIVER_CAPABILITIES names compute"
        )
    status = driver.cuInit(0)
    if status in CUDA_ERROR_OUT_OF_DATE:
        return (
            f"driver too old: it refuses CUDA {expected.cuda}, which needs {expected.driver} or "
            "later"
        )
    if status == CUDA_ERROR_NO_DEVICE:
        return "no device: the driver sees no GPU (NVIDIA_VISIBLE_DEVICES, CUDA_VISIBLE_DEVICES)"
    return f"the driver does not start: cuInit says {status}" if status else ""
