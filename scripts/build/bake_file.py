"""What `docker buildx bake` is told: generated from matrix.toml and the locks, never kept."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from scripts.build import constraints
from scripts.digests import sha256
from scripts.git_tree import revision
from scripts.locks.lock import REQUIREMENTS_LOCK
from scripts.locks.wheels import Wheel, cached
from scripts.matrix import Chosen, Cuda
from scripts.oci import Layout
from scripts.places import IMAGES, REPO, data_folder

# A SHA-256 over everything that goes into the image: equal inputs need no second build (`record`).
INPUTS = "tf-repro.inputs"


@dataclass(frozen=True)
class Target:
    """One image, ready to be built."""

    tag: str
    epoch: int
    inputs: str
    bake: dict[str, object]
    contexts: tuple[Path, ...]


def make(
    chosen: Chosen,
    root: Layout,
    locked: Sequence[Wheel],
    drift: Sequence[str],
    documents: Mapping[str, bytes],
) -> Target:
    """Describe the build of an image and fill its contexts.

    Args:
        chosen: which image.
        root: its root file system.
        locked: its wheels, in the cache and verified.
        drift: how the root file system differs from its lock.
        documents: the files of /opt/tf-repro/share, by name.
    """
    folders = _contexts(chosen, locked) | {"share": _share(chosen.tag, documents)}
    labels = _labels(chosen, root, drift)
    args = {"PYTHON": chosen.base.python, **_cuda_args(chosen.stack)}
    trees = [pair for folder in (REPO / "docker", *folders.values()) for pair in _tree(folder)]
    inputs = _digest([*trees, *labels.items(), *args.items()])
    labels[INPUTS] = inputs
    return Target(
        tag=chosen.tag,
        epoch=chosen.family.source_date_epoch,
        inputs=inputs,
        contexts=(root.folder, *folders.values()),
        bake={
            "context": str(REPO),
            "dockerfile": str(REPO / "docker/Dockerfile"),
            "target": "image",
            "args": args,
            "labels": labels,
            "contexts": {
                "rootfs": f"oci-layout://{root.folder}@{root.manifest_digest}",
                **{name: str(folder) for name, folder in folders.items()},
            },
            # Provenance differs in every build; it belongs beside an image, not into it.
            "attest": [{"type": "provenance", "disabled": "true"}],
        },
    )


def _contexts(chosen: Chosen, locked: Sequence[Wheel]) -> dict[str, Path]:
    """Make the folders of wheels that the build sees: `locked`, and for a GPU image `cuda`.

    `locked/kept` is what stays in the image, in /opt/tf-repro. `cuda` holds what makes the layer of
    the CUDA stack and nothing else, so that it is the same folder, and the same layer, for every
    image on that stack; pip, which installs it, comes along.
    """
    stack = chosen.stack
    names = {pin.partition("==")[0] for pin in stack.wheels} if stack else set()
    shared = [wheel for wheel in locked if wheel.name in names]
    rest = [wheel for wheel in locked if wheel.name not in names]
    folders = {"locked": data_folder("contexts") / chosen.tag}
    _fill(folders["locked"], rest)
    kept = folders["locked"] / "kept"
    kept.mkdir()
    _write_lock(kept, locked)
    (kept / "constraints.txt").write_text(constraints.text(locked, chosen))
    if stack:
        (kept / "cuda.json").write_text(
            json.dumps(expectations(locked, stack, chosen.loads), indent=1)
        )
        folders["cuda"] = data_folder("contexts") / f"cuda-{chosen.image.cuda}"
        _fill(folders["cuda"], shared, beside=[wheel for wheel in rest if wheel.name == "pip"])
    return folders


def _share(tag: str, documents: Mapping[str, bytes]) -> Path:
    """Make the folder `share`: for the last layer, so that the large ones keep their bytes."""
    folder = data_folder("contexts") / f"share-{tag}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name, content in documents.items():
        (folder / name).write_bytes(content)
    return folder


def expectations(
    locked: Sequence[Wheel], stack: Cuda, loads: Mapping[str, str]
) -> dict[str, object]:
    """Return what `tf-repro doctor` compares a GPU machine with."""
    versions = {wheel.name: wheel.version for wheel in locked}
    return {
        "cuda": stack.cuda,
        "cudnn": stack.cudnn,
        "driver": stack.driver,
        "libraries": {library: versions[wheel] for library, wheel in loads.items()},
    }


def _cuda_args(stack: Cuda | None) -> dict[str, str]:
    if not stack:
        return {}
    return {"STACK": "cuda", "CUDA": stack.cuda, "NVIDIA_REQUIRE_CUDA": stack.require}


def _fill(context: Path, installed: Sequence[Wheel], beside: Sequence[Wheel] = ()) -> None:
    """Make a folder with wheels to install, their lock, what to trim, and wheels beside them."""
    shutil.rmtree(context, ignore_errors=True)
    (context / "wheels").mkdir(parents=True)
    for wheel in (*installed, *beside):
        (context / "wheels" / wheel.file_name).hardlink_to(cached(wheel))
    _write_lock(context, installed)
    shutil.copy(IMAGES / "trim.toml", context)


def _write_lock(folder: Path, locked: Sequence[Wheel]) -> None:
    (folder / REQUIREMENTS_LOCK).write_text("".join(f"{wheel.row}\n" for wheel in locked))


def _labels(chosen: Chosen, root: Layout, drift: Sequence[str]) -> dict[str, str]:
    """Return the image's labels: OCI's own names where there is one, else ours.

    https://github.com/opencontainers/image-spec/blob/main/annotations.md
    """
    family, image, base, stack = chosen.family, chosen.image, chosen.base, chosen.stack
    labels = {
        "org.opencontainers.image.title": family.title,
        "org.opencontainers.image.version": image.tensorflow,
        "org.opencontainers.image.revision": revision(REPO / "docker"),
        "org.opencontainers.image.source": family.source,
        "org.opencontainers.image.licenses": family.licences,
        "org.opencontainers.image.created": family.epoch.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "org.opencontainers.image.base.name": f"debian:{base.codename}",
        "org.opencontainers.image.base.digest": root.manifest_digest,
        "tf-repro.image": chosen.tag,
        "tf-repro.tensorflow": image.tensorflow,
        "tf-repro.cuda": stack.cuda if stack else "none",
        "tf-repro.cudnn": stack.cudnn if stack else "none",
        "tf-repro.python": base.python,
    }
    return labels | ({"tf-repro.drift": "; ".join(drift)} if drift else {})


def _tree(folder: Path) -> list[tuple[str, str]]:
    files = (
        path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts
    )
    return [(str(path.relative_to(folder)), sha256(path)) for path in sorted(files)]


def _digest(pairs: Sequence[tuple[str, str]]) -> str:
    return f"sha256:{hashlib.sha256(json.dumps(pairs).encode()).hexdigest()}"
