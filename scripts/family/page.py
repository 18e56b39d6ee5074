"""images/README.md: the family as a table, out of the matrix, the locks and what was measured."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from scripts.family.sizes import Size, read
from scripts.locks.lock import REQUIREMENTS_LOCK
from scripts.locks.wheels import read_lock
from scripts.matrix import Chosen, Family, Image, Matrix
from scripts.places import IMAGES

README = IMAGES / "README.md"
HEAD = """# The family

<!-- Made by `make readme` out of matrix.toml, the locks and sizes.json; do not edit. -->

Each image has a moving tag for its release line (`2.15-gpu`), one for the release
(`2.15.1-gpu`) and, in a registry, one for exactly these bytes (`2.15.1-gpu-` and the first
twelve digits of its config digest). `latest-cpu` and `latest-gpu` are the newest release.
"""
SIZE = """
**Size** is on disk, unpacked; **less** is how much smaller that is than a plain `pip install`
of the same versions, with all that TensorFlow's own requirements ask for, on the same base.
What is left out, why, and what it may cost: [trim.toml](trim.toml) for files, and for whole
wheels a table below. What is left of a GPU image are TensorFlow and the libraries of CUDA that it
opens, in one piece each: nothing more can go without an operation that somebody uses.
"""
GPU = """
## GPU images

**Machine code** is what TensorFlow's own kernels were compiled for, by compute capability. A
GPU of a later generation compiles the PTX at its first use, which takes minutes, once; an
earlier one cannot run it. **Driver** is the least that runs this CUDA release. Images with the
same CUDA stack share its layer, byte for byte.
"""
LEFT_OUT = """
## Wheels that are not installed

TensorFlow's own extra `and-cuda` asks for them, and none of its code opens them.
"""
NOTES = """
## Notes
"""
Cell = Callable[[str], str]
# By their tags, in the order of the matrix.
Images = Mapping[str, Chosen]


def page(matrix: Matrix) -> str:
    """Return the whole page.

    Raises:
        KitError: a lock or the sizes cannot be read.
    """
    images = {one.tag: one for one in matrix.choose("all")}
    gpus = {tag: one for tag, one in images.items() if one.stack}
    versions = {tag: _versions(tag) for tag in images}
    parts = [HEAD, _images(images, versions, read()), SIZE, GPU, _gpus(gpus)]
    parts += [LEFT_OUT, _left_out(gpus), NOTES, _notes(images, matrix.family)]
    return "\n".join(part.strip("\n") + "\n" for part in parts)


def _images(
    images: Images, versions: Mapping[str, Mapping[str, str]], sizes: Mapping[str, Size]
) -> str:
    return table(
        {
            "tag": lambda tag: f"`{tag}`",
            "TensorFlow": lambda tag: images[tag].image.tensorflow,
            "Keras": lambda tag: versions[tag]["keras"],
            "NumPy": lambda tag: versions[tag]["numpy"],
            "Python": lambda tag: images[tag].base.python,
            "size": lambda tag: f"{sizes[tag].image / 1e9:.2f} GB" if tag in sizes else "",
            "less": lambda tag: f"{sizes[tag].saved:.0%}" if tag in sizes else "",
        },
        images,
    )


def _gpus(images: Images) -> str:
    def stack(name: str) -> Cell:
        return lambda tag: str(getattr(images[tag].stack, name))

    return table(
        {
            "tag": lambda tag: f"`{tag}`",
            "CUDA": stack("cuda"),
            "cuDNN": stack("cudnn"),
            "driver": stack("driver"),
            "machine code": lambda tag: ", ".join(capabilities(images[tag].image)),
            "PTX": lambda tag: ", ".join(capabilities(images[tag].image, "compute_")),
        },
        images,
    )


def capabilities(image: Image, kind: str = "") -> list[str]:
    """Return the compute capabilities that an image's kernels have code of a kind for.

    Args:
        image: a GPU image.
        kind: `compute_` for those with PTX; all have machine code.
    """
    codes = (code for code in image.gpu_code if code.startswith(kind))
    numbers = (code.partition("_")[2] for code in codes)
    return [f"{number[:-1]}.{number[-1]}" for number in numbers]


def _left_out(images: Images) -> str:
    missing: dict[tuple[str, str], list[str]] = {}
    for tag, one in images.items():
        for pin, reason in one.left_out.items():
            missing.setdefault((pin, reason), []).append(f"`{tag}`")
    rows = {pin: (reason, ", ".join(tags)) for (pin, reason), tags in missing.items()}
    return table(
        {
            "wheel": lambda pin: f"`{pin}`",
            "why": lambda pin: rows[pin][0],
            "images": lambda pin: rows[pin][1],
        },
        rows,
    )


def _notes(images: Images, family: Family) -> str:
    """Say each note once, with the images that it is about."""
    about: dict[str, list[str]] = {}
    for tag, one in images.items():
        for note in one.image.notes:
            about.setdefault(note, []).append(f"`{tag}`")
    lines = [f"- {', '.join(tags)}: {note}.\n" for note, tags in about.items()]
    lines += [f"- all: {note}.\n" for note in family.notes]
    return "".join(lines)


def table(columns: Mapping[str, Cell], keys: Iterable[str]) -> str:
    """Return a Markdown table: a row a key, and for each column what its function says of it."""
    head = [f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}"]
    rows = (f"| {' | '.join(cell(key) for cell in columns.values())} |" for key in keys)
    return "\n".join([*head, *rows]) + "\n"


def write(matrix: Matrix, path: Path = README) -> Path:
    """Write the page; return where."""
    path.write_text(page(matrix))
    return path


def _versions(tag: str) -> dict[str, str]:
    return {wheel.name: wheel.version for wheel in read_lock(IMAGES / tag / REQUIREMENTS_LOCK)}
