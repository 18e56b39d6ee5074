"""A shared library's code, function by function."""

import bisect
import mmap
import re
import struct
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Self

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile
from elftools.elf.hash import GNUHashSection
from elftools.elf.relocation import RelocationSection
from elftools.elf.sections import SymbolTableSection
from iced_x86 import Decoder, Instruction

# version 1; pointers relative to themselves, the count plain, the table relative to the section.
# https://refspecs.linuxfoundation.org/LSB_5.0.0/LSB-Core-generic/LSB-Core-generic/ehframechpt.html
_EH_FRAME_HDR = b"\x01\x1b\x03\x3b"
# Where, of what kind, and the address that goes there.
_RELOCATION, _ADDRESS = struct.Struct("<QQq"), struct.Struct("<Q")

# A jump through a cell that is told by distance, and the room that each has.
_JUMP_THROUGH, _LINKAGE = re.compile(rb"\xff\x25(.{4})", re.S), 16


class NoCodeError(ValueError):
    """The library is not laid out as compilers lay them out."""


class Library:
    """An ELF library for x86-64; addresses are relative to where it is loaded."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb")
        try:
            self._elf = ELFFile(self._file)
        except ELFError as error:
            self._file.close()
            raise NoCodeError(f"{path.name} is no library: {error}") from error
        self._bytes = mmap.mmap(self._file.fileno(), 0, prot=mmap.PROT_READ)
        text = self._elf.get_section_by_name(".text")
        if text is None:
            raise NoCodeError(f"{path.name} has no code")
        self.start: int = text["sh_addr"]
        self.end: int = self.start + text["sh_size"]
        self._offset: int = text["sh_offset"] - self.start
        self._starts = self._functions(path.name)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        self._bytes.close()
        self._file.close()

    def _functions(self, name: str) -> list[int]:
        """Return where every function begins, in order, from the table that unwinding uses."""
        section = self._elf.get_section_by_name(".eh_frame_hdr")
        if section is None or not section.data().startswith(_EH_FRAME_HDR):
            raise NoCodeError(f"{name} has no table of its functions")
        table, where = section.data(), section["sh_addr"]
        (count,) = struct.unpack_from("<I", table, 8)
        offsets = struct.unpack_from(f"<{2 * count}i", table, 12)[::2]
        return sorted(where + offset for offset in offsets)

    @property
    def size(self) -> int:
        """How much of the address space it takes, in bytes."""
        loaded = [one.header for one in self._elf.iter_segments("PT_LOAD")]
        return max(int(header["p_vaddr"] + header["p_memsz"]) for header in loaded)

    def code(self, start: int, end: int) -> bytes:
        """Return the bytes of the code between two addresses."""
        return self._bytes[start + self._offset : end + self._offset]

    def find(self, pattern: re.Pattern[bytes]) -> Iterator[int]:
        """Yield the addresses at which the code's bytes match, instructions or not."""
        first, last = self.start + self._offset, self.end + self._offset
        for match in pattern.finditer(self._bytes, first, last):
            yield match.start() - self._offset

    def function(self, address: int) -> tuple[int, int]:
        """Return where the function that holds an address begins and ends."""
        after = bisect.bisect_right(self._starts, address)
        start = self._starts[after - 1] if after else self.start
        end = self._starts[after] if after < len(self._starts) else self.end
        return start, min(end, self.end)

    def instructions(self, start: int, end: int) -> list[Instruction]:
        """Return what stands between two addresses."""
        return list(Decoder(64, self.code(start, end), ip=start))

    def initialisers(self) -> list[int]:
        """Return the functions that run when it is loaded: what the loader writes into .init_array.

        https://refspecs.linuxfoundation.org/elf/gabi4+/ch5.dynamic.html (DT_INIT_ARRAY)

        Raises:
            NoCodeError: relocations of another kind, as packed ones (RELR), write some of them.
        """
        array, relocations = map(self._elf.get_section_by_name, (".init_array", ".rela.dyn"))
        if array is None or relocations is None:
            return []
        first, last = array["sh_addr"], array["sh_addr"] + array["sh_size"]
        rows = _RELOCATION.iter_unpack(relocations.data())
        found = sorted(addend for where, _, addend in rows if first <= where < last)
        if len(found) != array["sh_size"] // _ADDRESS.size:
            raise NoCodeError(f"{len(found)} of its initialisers can be told")
        return found

    def jump_table(self, address: int, start: int, end: int) -> Iterator[int]:
        """Yield the places of a function, if any, that a table at an address jumps to.

        Compilers write a `switch` as offsets from the table itself, of four bytes each.
        """
        for section in self._elf.iter_sections():
            first = section["sh_addr"]
            if section.name == ".rodata" and first <= address < first + section["sh_size"]:
                at = section["sh_offset"] + address - first
                for (offset,) in struct.iter_unpack("<i", self._bytes[at : at + 4 * 1024]):
                    if not start <= address + offset < end:
                        return
                    yield address + offset

    def symbol(self, name: str) -> int | None:
        """Return the address of what the library exports under a name."""
        table = self._elf.get_section_by_name(".gnu.hash")
        symbol = table.get_symbol(name) if isinstance(table, GNUHashSection) else None
        return int(symbol["st_value"]) if symbol else None

    def imported(self, name: str) -> int | None:
        """Return the address that the code calls for a function of another library.

        There a jump through the function's own cell stands, in 16 bytes with what belongs to it.
        https://gitlab.com/x86-psABIs/x86-64-ABI (the procedure linkage table)
        """
        cell = self._cells.get(name)
        sections = [one for one in self._elf.iter_sections() if one.name.startswith(".plt")]
        for section in reversed(sections) if cell is not None else ():
            data, first = section.data(), section["sh_addr"]
            for jump in _JUMP_THROUGH.finditer(data):
                (distance,) = struct.unpack("<i", jump.group(1))
                if first + jump.end() + distance == cell:
                    return int(first + jump.start() // _LINKAGE * _LINKAGE)
        return None

    @cached_property
    def _cells(self) -> dict[str, int]:
        """Where the loader writes the address of each function of another library."""
        relocations = self._elf.get_section_by_name(".rela.plt")
        if not isinstance(relocations, RelocationSection):
            return {}
        symbols = self._elf.get_section(relocations["sh_link"])
        assert isinstance(symbols, SymbolTableSection)
        rows = relocations.iter_relocations()
        return {symbols.get_symbol(row["r_info_sym"]).name: row["r_offset"] for row in rows}
