"""A library of a few functions that a test writes, instruction by instruction."""

from __future__ import annotations

import mmap
import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from iced_x86 import Code, Code_, Encoder, Instruction, MemoryOperand, Register, Register_

from scripts.build.one_processor import table
from scripts.build.one_processor.library import Library
from tf_repro.machine import cpu, processor

NAME = "libmade_up.so"
CONSTANT = 0x800  # where in the made-up library eight times 3.0 stand
create = Instruction
RET = create.create(Code.RETNQ)
Floats = np.ndarray[Any, np.dtype[Any]]
# Calls one of its functions, by number, with floats: what it gives.
Call = Callable[[int, Floats], Floats]
# Loads a library of functions: its table, and what calls them.
Load = Callable[..., tuple[table.Table, Call]]
needs_avx2 = pytest.mark.skipif(
    bool(cpu.lacking(cpu.flags())), reason="this processor has no AVX2, which the code is for"
)


class Written(Library):
    """A library of functions that a test has written, one every 64 bytes."""

    exported: Mapping[str, int] = {}
    called: Mapping[str, int] = {}

    def __init__(self, *functions: Sequence[Instruction]) -> None:
        code = bytearray(b"\xcc" * CONSTANT + struct.pack("<8f", *[3.0] * 8)).ljust(4096, b"\0")
        for number, function in enumerate(functions):
            at = 64 * number
            for instruction in function:
                encoder = Encoder(64)
                encoder.encode(instruction, at)
                piece = encoder.take_buffer()
                code[at : at + len(piece)] = piece
                at += len(piece)
        self.content = bytes(code)
        self.start, self.end, self._offset = 0, 64 * len(functions), 0
        self._starts = [64 * number for number in range(len(functions))]
        self._bytes = mmap.mmap(-1, len(code))
        self._bytes.write(self.content)

    @property
    def size(self) -> int:
        """All of its content is loaded."""
        return len(self.content)

    def initialisers(self) -> list[int]:
        """The second function, if there is one, is run when it is loaded."""
        return self._starts[1:2]

    def symbol(self, name: str) -> int | None:
        """It exports what a test says."""
        return self.exported.get(name)

    def imported(self, name: str) -> int | None:
        """It calls what a test says."""
        return self.called.get(name)


def reg(code: Code_, to: Register_, of: Register_) -> Instruction:
    return create.create_reg_reg(code, to, of)


def at(register: Register_, displ: int = 0) -> MemoryOperand:
    return MemoryOperand(register, displ=displ, displ_size=8)


def base() -> int:
    """Return where the library begins in this process' memory."""
    return next(first for first, _, _, path in processor.loaded() if path.endswith(NAME))


def number(register: Register_, what: int) -> Instruction:
    return create.create_reg_u32(Code.MOV_R32_IMM32, register, what)


def gives(what: int) -> list[Instruction]:
    """Return a function that returns a number."""
    return [number(Register.EAX, what), RET]
