"""Which processor a process sees: CPUID, asked by some bytes of machine code.

/proc/cpuinfo is the machine's own, also for a process that is emulated as another processor.
https://www.intel.com/content/www/us/en/developer/articles/technical/intel-sdm.html (CPUID)
"""

import ctypes
import mmap
import struct

# void f(uint32 *four, uint32 leaf, uint32 subleaf): pushes rbx, which is the caller's, and leaves
# what CPUID puts into eax, ebx, ecx and edx in the four.
CODE = bytes.fromhex("53 89f0 89d1 0fa2 8907 895f04 894f08 89570c 5b c3")
BRAND = range(0x8000_0002, 0x8000_0005)
# Where the caches are described: by Intel, and by AMD in the same form.
INTELS, AMDS = 4, 0x8000_001D
DATA = (1, 3)  # of a cache: of data, or unified; 2 is of instructions
MOST_CACHES = 8


class Cpuid:
    """Asks CPUID."""

    def __init__(self) -> None:
        self._page = mmap.mmap(-1, mmap.PAGESIZE, prot=7)  # read, write and execute
        self._page.write(CODE)
        start = ctypes.addressof(ctypes.c_char.from_buffer(self._page))
        kind = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_uint32, ctypes.c_uint32)
        self._call = kind(start)

    def __call__(self, leaf: int, subleaf: int = 0) -> tuple[int, int, int, int]:
        """Return eax, ebx, ecx and edx."""
        four = (ctypes.c_uint32 * 4)()
        self._call(ctypes.addressof(four), leaf, subleaf)
        return four[0], four[1], four[2], four[3]

    def brand(self) -> str:
        """Return the processor's name."""
        registers = [register for leaf in BRAND for register in self(leaf)]
        return struct.pack("<12I", *registers).split(b"\0")[0].decode().strip()

    def vendor(self) -> str:
        """Return who made it."""
        _, ebx, ecx, edx = self(0)
        return struct.pack("<3I", ebx, edx, ecx).decode()

    def caches(self) -> list[str]:
        """Return the sizes of the caches of data, as in "L1 32 KiB"."""
        leaf = INTELS if self.vendor() == "GenuineIntel" else AMDS
        found = []
        for number in range(MOST_CACHES):
            eax, ebx, sets, _ = self(leaf, number)
            if eax & 31 in DATA:
                line, partitions, ways = ebx & 0xFFF, ebx >> 12 & 0x3FF, ebx >> 22
                size = (line + 1) * (partitions + 1) * (ways + 1) * (sets + 1)
                found.append(f"L{eax >> 5 & 7} {size // 1024} KiB")
        return found


def seen() -> dict[str, object]:
    """Return what a process sees of its processor."""
    cpuid = Cpuid()
    return {"processor": cpuid.brand(), "vendor": cpuid.vendor(), "caches": cpuid.caches()}
