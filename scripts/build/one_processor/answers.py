"""What CPUID answers inside TensorFlow, on whatever processor: a Haswell with common caches.

A row is (leaf, subleaf or ANY, what is kept of the processor's own four registers, what is put in):
the answer is `own & keep | value`, in EAX, EBX, ECX, EDX. A feature that decides bits is on every
processor with AVX2; one that may be absent is kept as it is and never made up, so no instruction is
promised that the processor has not. What has no row is answered by zeros, as on a processor that
does not know the leaf. https://www.intel.com/sdm (volume 2, CPUID)
"""

import struct
from typing import NamedTuple

ANY = 0xFFFFFFFF
# In bytes: of data on the first level, and of the second and third.
CACHES = (32 << 10, 512 << 10, 4 << 20)


class Registers(NamedTuple):
    """The four registers that CPUID answers in."""

    eax: int = 0
    ebx: int = 0
    ecx: int = 0
    edx: int = 0


class Answer(NamedTuple):
    """What one leaf answers."""

    leaf: int
    subleaf: int = ANY
    keep: Registers = Registers()
    value: Registers = Registers()


def _bits(*numbers: int) -> int:
    return sum(1 << number for number in numbers)


def _cache(level: int, kind: int, ways: int = 8) -> Registers:
    """Describe a cache of 64-byte lines that no two processors share (leaf 4)."""
    sets = CACHES[level - 1] // 64 // ways
    return Registers(
        eax=kind | level << 5 | _bits(8), ebx=(ways - 1) << 22 | 63, ecx=sets - 1, edx=0
    )


def _text(text: bytes) -> tuple[int, int, int]:
    one, two, three = struct.unpack("<3I", text)
    return one, two, three


_DATA, _CODE, _UNIFIED = 1, 2, 3
_B, _D, _C = _text(b"GenuineIntel")

ANSWERS = (
    # The highest leaf that there is: oneDNN generates nothing where there is none of topology.
    Answer(0, value=Registers(0xB, _B, _C, _D)),
    Answer(
        1,
        # SSE3 to SSE4.2, PCLMUL, FMA, CX16, MOVBE, POPCNT, AES, XSAVE, AVX, F16C, RDRAND; of the
        # first features everything up to SSE2.
        keep=Registers(
            ecx=_bits(0, 1, 9, 12, 13, 19, 20, 22, 23, 25, 26, 27, 28, 29, 30), edx=0x078BFBFF
        ),
        value=Registers(eax=0x000306C3, ebx=0x0800),
    ),
    Answer(4, 0, value=_cache(1, _DATA)),
    Answer(4, 1, value=_cache(1, _CODE)),
    Answer(4, 2, value=_cache(2, _UNIFIED)),
    Answer(4, 3, value=_cache(3, _UNIFIED, ways=16)),
    # FSGSBASE, BMI1, AVX2, SMEP, BMI2, ERMS, INVPCID: nothing of AVX-512, VNNI or AMX.
    Answer(7, 0, keep=Registers(ebx=_bits(0, 3, 5, 7, 8, 9, 10))),
    # Eight cores of one thread each, as many as the pools have threads.
    Answer(0xB, 0, value=Registers(eax=0, ebx=1, ecx=1 << 8 | 0)),
    Answer(0xB, 1, value=Registers(eax=3, ebx=8, ecx=2 << 8 | 1)),
    Answer(0xB, value=Registers(ecx=2)),
    Answer(0x80000000, value=Registers(eax=0x80000001)),
    # LAHF and LZCNT; SYSCALL, NX, RDTSCP, long mode.
    Answer(0x80000001, keep=Registers(ecx=_bits(0, 5), edx=_bits(11, 20, 27, 29))),
    Answer(ANY),
)

ROW = struct.Struct("<10I")


def table() -> bytes:
    """Return the rows as the code in TensorFlow reads them; the last one answers for all leaves."""
    return b"".join(ROW.pack(row.leaf, row.subleaf, *row.keep, *row.value) for row in ANSWERS)
