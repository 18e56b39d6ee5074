"""TensorFlow computes as on one processor, whatever the processor.

Its libraries ask the processor for estimates of 1/x and of 1/sqrt(x), which every maker gives in a
way of its own, and by CPUID for features and caches, by which Eigen, oneDNN and XLA choose kernels
and the blocks of their sums. Each of these instructions, found when the image was built, becomes a
jump to code that computes exactly, or that answers the same everywhere. The pool for the parts of
an op has as many threads everywhere, of which no more work than there are CPUs. Only pages of this
process change, never a file; in TF_REPRO=off, in the reach "machine" and where there is no AVX2,
none does.
"""

import base64
import ctypes
import itertools
import json
import struct

from tf_repro import messages
from tf_repro.machine import cpu

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from types import ModuleType
    from typing import Any

    # What is mapped: the first address, the one after the last, what is allowed, the file or "".
    Mapped = tuple[int, int, str, str]

# What the kit's scripts/build/one_processor/table.py has written, and says how to read.
TABLES = "/opt/tf-repro/share/processor.json"

_PAGE = 4096
_ADDRESS, _SIZE, _INT = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int
# https://github.com/torvalds/linux/blob/master/include/uapi/asm-generic/mman-common.h
_READ, _WRITE, _EXECUTE = 1, 2, 4
_PRIVATE_ANONYMOUS, _FIXED_NOREPLACE = 0x22, 0x100000
# Of a line of /proc/self/maps: the addresses, what is allowed, offset, device and inode.
_BEFORE_PATH = 5
# How far a jump, and an operand that is told by distance, can lead.
_FAR = 1 << 31
_JUMP, _JUMP_SIZE, _NOP = b"\xe9", 5, b"\x90"


class CannotLayOverError(Exception):
    """A library is not the one of the table, or the system does not let its code be changed."""


class Library:
    """A loaded library with its table.

    Attributes:
        base: where it is loaded.
        code: where the code that its jumps lead to stands.
    """

    def __init__(self, name: str, table: "Mapping[str, Any]", mapped: "Iterable[Mapped]") -> None:
        mine = [one for one in mapped if one[-1].endswith(f"/{name}")]
        if not mine:
            raise CannotLayOverError(f"{name} is not loaded")
        self.base, self._end = min(mine)[0], max(mine)[1]
        code = [(first, last) for first, last, allowed, _ in mine if "x" in allowed]
        self.code = 0
        self._table = table
        self._jumps = [
            (self.base + jump["at"], bytes.fromhex(jump["over"]), jump["to"])
            for jump in table["jumps"]
        ]
        if not all(_holds(code, at, over) for at, over, _ in self._jumps):
            raise CannotLayOverError(f"{name} is not the one that the image was built with")

    def prepare(self, libc: ctypes.CDLL, mapped: "list[Mapped]") -> None:
        """Write the code that the jumps lead to, near enough; nothing leads there yet."""
        code = bytearray(base64.b64decode(self._table["code"]))
        size = -(-len(code) // _PAGE) * _PAGE
        self.code = _hole(mapped, size, self._end - _FAR, self.base + _FAR)
        flags = _PRIVATE_ANONYMOUS | _FIXED_NOREPLACE
        if libc.mmap(self.code, size, _READ | _WRITE, flags, -1, 0) != self.code:
            raise CannotLayOverError("no memory is left near TensorFlow's code")
        mapped.append((self.code, self.code + size, "", ""))
        moved = self.code - self.base - self._table["origin"]
        for at in self._table["fixups"]:
            distance = int.from_bytes(code[at : at + 4], "little", signed=True) - moved
            code[at : at + 4] = distance.to_bytes(4, "little", signed=True)
        ctypes.memmove(self.code, bytes(code), len(code))
        _protect(libc, self.code, size, _READ | _EXECUTE)

    def lay_over(self, libc: ctypes.CDLL) -> None:
        """Write the jumps."""
        first = min(at for at, _, _ in self._jumps) // _PAGE * _PAGE
        size = max(at + len(over) for at, over, _ in self._jumps) - first
        _protect(libc, first, size, _READ | _WRITE | _EXECUTE)
        for at, over, to in self._jumps:
            distance = self.code + to - (at + _JUMP_SIZE)
            jump = _JUMP + distance.to_bytes(4, "little", signed=True)
            ctypes.memmove(at, jump.ljust(len(over), _NOP), len(over))
        # Where SELinux refuses it for code that has been changed, it runs as well as it is.
        libc.mprotect(first, size, _READ | _EXECUTE)

    def forget(self, caches: "Iterable[int]") -> None:
        """Replace the sizes of the caches that the library has asked for while it was loaded.

        What else it has asked, it is to ask again.
        """
        sizes = struct.pack("<3q", *caches)
        for at in self._table["caches"]:
            ctypes.memmove(self.base + at, sizes, len(sizes))
        for at in self._table["guards"]:
            ctypes.memset(self.base + at, 0, 1)


def become_one(_: "ModuleType") -> None:
    """Lay the tables over TensorFlow's libraries, which have just been loaded; all or nothing."""
    document = None if cpu.lacking(cpu.flags()) else _document()
    if document is None:
        return
    try:
        lay_over(document["libraries"], document["caches"])
    except CannotLayOverError as error:
        messages.warn(f"a few ops follow the processor's own estimates and caches: {error}")


def release() -> str:
    """Return the release of TensorFlow that the tables are of, empty where there are none."""
    document = _document()
    return "" if document is None else str(document["tensorflow"])


def _document() -> "Any":
    try:
        with open(TABLES, encoding="utf-8") as file:  # noqa: PTH123  # no pathlib here
            return json.load(file)
    except OSError:
        return None


def lay_over(tables: "Mapping[str, Mapping[str, Any]]", caches: "Iterable[int]") -> None:
    """Lay tables over loaded libraries.

    Args:
        tables: library -> its table.
        caches: the sizes of the caches that all processors are to have, in bytes, level by level.

    Raises:
        CannotLayOverError: nothing has been changed.
    """
    libc = ctypes.CDLL(None)
    libc.mmap.restype = _ADDRESS
    libc.mmap.argtypes = (_ADDRESS, _SIZE, _INT, _INT, _INT, ctypes.c_long)
    libc.mprotect.argtypes = (_ADDRESS, _SIZE, _INT)
    mapped = loaded()
    libraries = [Library(name, table, mapped) for name, table in tables.items()]
    for library in libraries:
        library.prepare(libc, mapped)
    for library in libraries:
        library.lay_over(libc)
        library.forget(caches)


def loaded(maps: str = "/proc/self/maps") -> "list[Mapped]":
    """Return what this process has mapped, in order of address."""
    found = []
    with open(maps, encoding="utf-8", errors="surrogateescape") as lines:  # noqa: PTH123  # as above
        for line in lines:
            addresses, *others = line.rstrip("\n").split(maxsplit=_BEFORE_PATH)
            first, _, last = addresses.partition("-")
            path = others[-1] if len(others) == _BEFORE_PATH else ""
            found.append((int(first, 16), int(last, 16), others[0], path))
    return found


def _hole(mapped: "Iterable[Mapped]", size: int, lowest: int, highest: int) -> int:
    """Return an address between two others from which on `size` bytes are free."""
    spans = sorted((first, last) for first, last, *_ in mapped)
    for (_, free), (taken, _) in itertools.pairwise(spans):
        if taken - free >= size and lowest < free and free + size < highest:
            return free
    raise CannotLayOverError("no address is free near TensorFlow's code")


def _holds(code: "Iterable[tuple[int, int]]", at: int, over: bytes) -> bool:
    """Return whether loaded code has these bytes at an address; elsewhere, nothing may be read."""
    return any(
        first <= at and at + len(over) <= last and ctypes.string_at(at, len(over)) == over
        for first, last in code
    )


def _protect(libc: ctypes.CDLL, first: int, size: int, protection: int) -> None:
    if libc.mprotect(first, size, protection) != 0:
        raise CannotLayOverError("the system does not let a program's code be changed")


ON_IMPORT = {"tensorflow.python.pywrap_tensorflow": become_one}
