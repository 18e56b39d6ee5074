"""Give TensorFlow the other of its two names: usage: stand_in.py SITE_PACKAGES.

The wheel of a CPU image is called tensorflow-cpu, and most packages require tensorflow; in a GPU
image it is the other way round. Without a distribution of that name pip would unpack a second
TensorFlow over the first. This one is metadata alone, and requires the real one at its version.
https://packaging.python.org/en/latest/specifications/recording-installed-packages/
"""

import base64
import hashlib
import sys
from pathlib import Path

NAMES = {"tensorflow_cpu": "tensorflow", "tensorflow": "tensorflow-cpu"}
METADATA = """Metadata-Version: 2.1
Name: {name}
Version: {version}
Summary: Stands for {real}, which holds the same TensorFlow under another name
Requires-Dist: {real} (=={version})
"""
WHEEL = """Wheel-Version: 1.0
Generator: tf-repro
Root-Is-Purelib: true
Tag: py3-none-any
"""


def record(folder: Path, texts: dict[str, str]) -> str:
    """Return the RECORD of files in a folder, itself included."""
    lines = []
    for name, text in sorted(texts.items()):
        digest = hashlib.sha256(text.encode()).digest()
        value = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        lines.append(f"{folder.name}/{name},sha256={value},{len(text.encode())}")
    return "\n".join([*lines, f"{folder.name}/RECORD,,"]) + "\n"


def main(site: Path) -> None:
    """Write the distribution that is missing."""
    found = [
        (stem, version)
        for each in site.glob("tensorflow*.dist-info")
        for stem, _, version in [each.name.removesuffix(".dist-info").partition("-")]
        if stem in NAMES
    ]
    if len(found) != 1:
        sys.exit(f"{site} has {len(found)} distributions of TensorFlow, not one")
    stem, version = found[0]
    name, real = NAMES[stem], stem.replace("_", "-")
    folder = site / f"{name.replace('-', '_')}-{version}.dist-info"
    texts = {
        "METADATA": METADATA.format(name=name, real=real, version=version),
        "WHEEL": WHEEL,
        "INSTALLER": "tf-repro\n",
    }
    folder.mkdir()
    for file, text in {**texts, "RECORD": record(folder, texts)}.items():
        (folder / file).write_text(text)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
