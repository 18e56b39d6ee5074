"""Open every CUDA library as TensorFlow does, and ask each which version it is. Needs no GPU."""

import ctypes
import json
import sys
from pathlib import Path

NVIDIA = Path(f"/opt/venv/lib/python3.{sys.version_info[1]}/site-packages/nvidia")
# libraryPropertyType of library_types.h: MAJOR_VERSION, MINOR_VERSION, PATCH_LEVEL.
PROPERTIES = (0, 1, 2)
# cudaErrorInsufficientDriver of driver_types.h.
INSUFFICIENT_DRIVER = 35


def properties(library, function):
    """Ask one of the functions that give a property each: major, minor, patch."""
    value = ctypes.c_int()
    found = []
    for number in PROPERTIES:
        assert getattr(library, function)(number, ctypes.byref(value)) == 0
        found.append(value.value)
    return found


def cudart(library):
    """Return the version; that of CUDA 11 tells it only where there is a driver."""
    value = ctypes.c_int()
    status = library.cudaRuntimeGetVersion(ctypes.byref(value))
    if status == INSUFFICIENT_DRIVER:
        return None
    assert status == 0, status
    return [value.value // 1000, value.value % 1000 // 10]


def nvrtc(library):
    major, minor = ctypes.c_int(), ctypes.c_int()
    assert library.nvrtcVersion(ctypes.byref(major), ctypes.byref(minor)) == 0
    return [major.value, minor.value]


def nvjitlink(library):
    """It has a function for each version of CUDA 12 that it can link for, and no other sign."""
    minors = [minor for minor in range(20) if hasattr(library, f"__nvJitLinkCreate_12_{minor}")]
    return [12, max(minors)]


def cudnn(library):
    library.cudnnGetVersion.restype = ctypes.c_size_t
    number = library.cudnnGetVersion()
    step = 10000 if number >= 90000 else 1000
    return [number // step, number % step // 100, number % 100]


def nccl(library):
    value = ctypes.c_int()
    assert library.ncclGetVersion(ctypes.byref(value)) == 0
    return [value.value // 10000, value.value % 10000 // 100, value.value % 100]


ASK = {
    "libcudart": cudart,
    "libcublas": lambda library: properties(library, "cublasGetProperty"),
    "libcublasLt": lambda library: properties(library, "cublasLtGetProperty"),
    "libcufft": lambda library: properties(library, "cufftGetProperty"),
    "libcurand": lambda library: properties(library, "curandGetProperty"),
    "libcusolver": lambda library: properties(library, "cusolverGetProperty"),
    "libcusparse": lambda library: properties(library, "cusparseGetProperty"),
    "libcudnn": cudnn,
    "libnvrtc": nvrtc,
    "libnvJitLink": nvjitlink,
    "libnccl": nccl,
}

expected = json.loads(Path("/opt/tf-repro/cuda.json").read_text())
versions = {}
for name in expected["libraries"]:
    library = ctypes.CDLL(name)
    ask = ASK.get(name.partition(".so")[0])
    versions[name] = ask(library) if ask else None
loaded = Path("/proc/self/maps").read_text()
opened, broken = [], {}
for path in sorted(NVIDIA.glob("*/lib/*.so*")):
    try:
        ctypes.CDLL(str(path))
        opened.append(path.name)
    except OSError as error:
        broken[path.name] = str(error)
outside = [
    line.split()[-1]
    for line in loaded.splitlines()
    if any(name.partition(".so")[0] in line for name in versions) and str(NVIDIA) not in line
]
print(json.dumps({"versions": versions, "opened": opened, "broken": broken, "outside": outside}))
