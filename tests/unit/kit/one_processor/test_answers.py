"""Whoever asks for the processor is answered as on one: by cpuid, by functions, and beforehand."""

from __future__ import annotations

import ctypes
import struct

import numpy as np
import pytest
from iced_x86 import Code, Instruction, MemoryOperand, Register

from scripts.build.one_processor import answers, table
from tests.unit.kit.one_processor.written import (
    CONSTANT,
    NAME,
    RET,
    Load,
    Written,
    at,
    base,
    create,
    gives,
    needs_avx2,
)
from tf_repro.machine import processor

CPUID = [
    create.create_reg(Code.PUSH_R64, Register.RBX),
    create.create_reg_mem(Code.MOV_R32_RM32, Register.EAX, MemoryOperand(Register.RDI)),
    create.create_reg_mem(
        Code.MOV_R32_RM32, Register.ECX, MemoryOperand(Register.RDI, displ=4, displ_size=1)
    ),
    create.create(Code.CPUID),
    *(
        create.create_mem_reg(
            Code.MOV_RM32_R32, MemoryOperand(Register.RSI, displ=4 * n, displ_size=1), of
        )
        for n, of in enumerate((Register.EAX, Register.EBX, Register.ECX, Register.EDX))
    ),
    create.create_reg(Code.POP_R64, Register.RBX),
    RET,
]


@needs_avx2
def test_cpuid_answers_as_the_rows_say_and_promises_nothing_that_is_not_there(
    load: Load,
) -> None:
    asked = [
        (0, 0),
        (1, 0),
        (4, 0),
        (4, 2),
        (4, 9),
        (7, 0),
        (7, 1),
        (0xB, 1),
        (0xD, 0),
        (0x80000001, 0),
    ]
    made, call = load(CPUID)

    def answered(leaf: int, subleaf: int) -> list[int]:
        return [int(one) for one in call(0, np.array([leaf, subleaf, 0, 0], np.uint32))]

    own = {one: answered(*one) for one in asked}
    processor.lay_over({NAME: made}, answers.CACHES)
    for leaf, subleaf in asked:
        row = next(
            row
            for row in answers.ANSWERS
            if row.leaf in (leaf, answers.ANY) and row.subleaf in (subleaf, answers.ANY)
        )
        real = own[leaf, subleaf]
        wanted = [
            a & keep | value for a, keep, value in zip(real, row.keep, row.value, strict=True)
        ]
        assert answered(leaf, subleaf) == wanted, (leaf, subleaf)
    avx2, avx512f = 1 << 5, 1 << 16
    assert answered(7, 0)[1] & (avx2 | avx512f) == avx2


@needs_avx2
def test_functions_are_answered_for(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    """As TestCPUFeature is, which has answered before, and what tells XLA that it may estimate."""
    feature, types = table.FUNCTIONS
    monkeypatch.setattr(Written, "exported", {feature: 0, types: 64})
    made, _ = load(gives(2), gives(2))
    ask = ctypes.CFUNCTYPE(ctypes.c_ubyte, ctypes.c_int)(base())
    vector = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p)(base() + 64)
    assert ask(19) == 2
    processor.lay_over({NAME: made}, answers.CACHES)
    assert [ask(number) for number in (0, 18, 19, 40)] == [1, 1, 0, 0]
    kept = (ctypes.c_uint64 * 4)(7, 7, 7, 7)
    assert vector(ctypes.addressof(kept)) == ctypes.addressof(kept)
    assert list(kept) == [0, 0, 0, 7]


def test_a_row_never_makes_up_a_feature() -> None:
    """What stands for instructions is the processor's own or nothing: leaves 1, 7, 0x80000001."""
    for row in answers.ANSWERS:
        if row.leaf in (1, 7, 0x80000001):
            assert row.value.ecx == row.value.edx == 0
            assert row.leaf == 1 or row.value.ebx == 0


def kept_at(address: int) -> Instruction:
    return create.create_mem_reg(Code.MOV_RM64_R64, at(Register.RIP, address), Register.RAX)


def test_what_was_asked_for_while_it_was_loaded_is_found() -> None:
    asking = create.create_branch(Code.CALL_REL32_64, 0)
    stores = [kept_at(CONSTANT + 8 * level) for level in range(3)]
    assert table.of(Written(CPUID, [asking, *stores, RET]))["caches"] == [CONSTANT]
    # Three that are not side by side, and another function's, are no sizes of caches.
    assert table.of(Written(CPUID, [asking, *stores[:2], stores[0], RET]))["caches"] == []
    elsewhere = create.create_branch(Code.CALL_REL32_64, 128)
    assert table.of(Written(CPUID, [elsewhere, *stores, RET], [RET]))["caches"] == []


def test_what_was_asked_while_it_was_loaded_is_forgotten() -> None:
    memory = ctypes.create_string_buffer(b"\1" * 64)
    library = object.__new__(processor.Library)
    library.base = ctypes.addressof(memory)
    library._table = {"caches": [8], "guards": [40]}
    library.forget((1, 2, 3))
    left = b"\1" * 8 + struct.pack("<3q", 1, 2, 3) + b"\1" * 8 + b"\0" + b"\1" * 23
    assert memory.raw[:64] == left
