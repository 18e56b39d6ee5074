"""Containers whose Python runs emulated as another processor, whatever starts it.

QEMU's user mode follows no exec: what an emulated process starts would run natively. So a script
stands in the place of the interpreter, and leads every start of it into the emulator.
"""

from __future__ import annotations

from pathlib import Path

from scripts.proof.reach import qemu
from tests.image.other_runc import ROOTFS

# Of the image: what all the names in /opt/venv/bin lead to.
PYTHON = "/usr/bin/python3.11"
ASIDE = "/emulated"
# Python finds its virtual environment by the name that it was called by.
START = """#!/bin/sh
exec {aside}/{emulator} -cpu {model} -0 "$0" {aside}/python "$@"
"""
# QEMU answers CPUID, and leaves this file the machine's own. Flags are AVX2's and nothing above.
CPUINFO = """\
processor\t: 0
vendor_id\t: {vendor}
model name\t: {name}
flags\t\t: fpu sse sse2 pni ssse3 fma sse4_1 sse4_2 movbe popcnt avx f16c avx2 bmi1 bmi2

"""


def name(model: str) -> str:
    """Return what the processor calls itself."""
    return f"{model}, emulated"


def mounts(model: str, folder: Path) -> dict[str, str]:
    """Return what is mounted in a container, so that it is on another processor.

    Args:
        model: QEMU's name of a processor with AVX2.
        folder: for the files.

    Raises:
        KitError: there is no emulator, and none can be had.
    """
    emulator = qemu.program()
    start, cpuinfo = folder / "python", folder / "cpuinfo"
    start.write_text(START.format(aside=ASIDE, emulator=emulator.name, model=model))
    start.chmod(0o755)
    vendor = "AuthenticAMD" if model.startswith("EPYC") else "GenuineIntel"
    cpuinfo.write_text(CPUINFO.format(vendor=vendor, name=name(model)))
    return {
        f"{ASIDE}/{emulator.name}": str(emulator),
        f"{ASIDE}/python": f"{ROOTFS}{PYTHON}",
        PYTHON: str(start),
        "/proc/cpuinfo": str(cpuinfo),
    }
