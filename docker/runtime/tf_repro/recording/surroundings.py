"""Where a run took place: what may differ between two machines or two days."""

import os
import platform
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

from tf_repro import cluster, environment, settings
from tf_repro.machine import cpu, restart

PACKAGES = ("tensorflow", "tensorflow-cpu", "keras", "tf-keras", "numpy", "h5py", "torch", "jax")
# Variables that decide bits, by how they begin.
VARIABLES = (
    *("TF_", "OMP_", "OPENBLAS_", "ONEDNN_", "XLA_", "CUDA_", "CUBLAS_", "NVIDIA_", "NPY_"),
    *("PYTHONHASHSEED", "MKL_", "KERAS_"),
)


# What the image is, as the host that started the container tells it.
IMAGE = "TF_REPRO_IMAGE"
# What `tf-repro` tells each run, which is no setting of the user's, and what decides no bits: where
# the workers of a cluster are is of that kind.
OURS = {
    *(environment.AUDIT, environment.BISECT, environment.KILL, environment.RECORD),
    *(IMAGE, cluster.VARIABLE, "TF_REPRO_DEBUG", "TF_REPRO_TRACK"),
}
# What is in the image: the wheels' lock, and the list of Debian's packages.
LOCKS = {
    "requirements.lock": Path("/opt/tf-repro/requirements.lock"),
    "dpkg status": Path("/var/lib/dpkg/status"),
}


def describe() -> dict[str, Any]:
    """Return the environment of this process, as plain JSON."""
    chosen = settings.current
    return {
        "image": os.environ.get(IMAGE, ""),
        "locks": {name: _digest(path) for name, path in LOCKS.items() if path.exists()},
        "mode": chosen.mode,
        "seed": chosen.seed,
        "reach": chosen.reach,
        "task": chosen.task,
        "cluster": cluster.sizes(os.environ.get(cluster.VARIABLE, "")),
        "hashes": "fixed" if restart.hash_seed_is_fixed() else restart.why_hashes(),
        "argv": sys.orig_argv,
        "python": platform.python_version(),
        "packages": dict(_versions()),
        "kernel": platform.release(),
        "cpu": cpu.model(),
        "cpu_flags": sorted(cpu.flags()),
        "cpus": len(os.sched_getaffinity(0)),
        "gpus": gpus(),
        "environment": {
            name: value
            for name, value in sorted(os.environ.items())
            if name.startswith(VARIABLES) and name not in OURS
        },
    }


def _digest(path: Path) -> str:
    import hashlib  # noqa: PLC0415  # once a process, and only where it records

    return f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"


def _versions() -> "list[tuple[str, str]]":
    found = []
    for name in PACKAGES:
        try:
            found.append((name, metadata.version(name)))
        except metadata.PackageNotFoundError:
            continue
    return found


def gpus() -> "list[str]":
    """Return model and driver of each GPU that the driver's files in /proc name."""
    version = Path("/proc/driver/nvidia/version")
    if not version.exists():
        return []
    driver = version.read_text().splitlines()[0].strip()
    models = []
    for information in sorted(Path("/proc/driver/nvidia/gpus").glob("*/information")):
        rows = dict(
            line.split(":", 1) for line in information.read_text().splitlines() if ":" in line
        )
        models.append(f"{rows.get('Model', 'unknown').strip()}; {driver}")
    return models
