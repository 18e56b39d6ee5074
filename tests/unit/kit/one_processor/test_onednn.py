"""oneDNN is not told how many CPUs there are."""

from __future__ import annotations

import ctypes

import pytest
from iced_x86 import Code, Instruction, Register

from scripts.build.one_processor import answers, onednn, sites
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
    number,
)
from tf_repro.machine import processor

ASKS, COUNTS, MAKES, CPU = (64 * number for number in (1, 2, 3, 4))
IMPORTED = {"sched_getaffinity": ASKS, "__sched_cpucount": COUNTS, "__cxa_guard_acquire": MAKES}
GUARD = CONSTANT + 64
SIZE = 128


def call(to: int) -> Instruction:
    return create.create_branch(Code.CALL_REL32_64, to)


# oneDNN's get_max_threads_to_use(): the lesser of the CPUs that may be used, and the cores.
THREADS = [
    create.create_reg(Code.PUSH_R64, Register.RBX),
    call(CPU),
    create.create_reg_reg(Code.MOV_R32_RM32, Register.EBX, Register.EAX),
    number(Register.ESI, SIZE),
    call(ASKS),
    create.create_reg_reg(Code.TEST_RM32_R32, Register.EAX, Register.EAX),
    create.create_branch(Code.JNE_REL8_64, 37),
    number(Register.EDI, SIZE),
    call(COUNTS),
    create.create_reg_reg(Code.CMP_R32_RM32, Register.EAX, Register.EBX),
    create.create_reg_reg(Code.CMOVLE_R32_RM32, Register.EBX, Register.EAX),
    create.create_reg_reg(Code.MOV_R32_RM32, Register.EAX, Register.EBX),
    create.create_reg(Code.POP_R64, Register.RBX),
    RET,
]
# What knows the cores: five of them.
CORES = [
    create.create_reg(Code.PUSH_R64, Register.R12),
    create.create_reg_mem(Code.LEA_R64_M, Register.R12, at(Register.RIP, GUARD)),
    create.create_branch(Code.JMP_REL8_64, CPU + 14),
    create.create_reg(Code.POP_R64, Register.R12),
    RET,
    create.create_reg_reg(Code.MOV_R64_RM64, Register.RDI, Register.R12),
    call(MAKES),
    number(Register.EAX, 5),
    create.create_reg(Code.POP_R64, Register.R12),
    RET,
]
# Another function that counts the CPUs, and takes no lesser of anything: as LLVM's.
COUNTER = [number(Register.ESI, SIZE), call(ASKS), number(Register.EDI, SIZE), call(COUNTS), RET]


@needs_avx2
def test_onednn_is_not_told_how_many_cpus_there_are(
    load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It then takes as many threads as there are cores; and asks again what it has asked."""
    monkeypatch.setattr(Written, "called", IMPORTED)
    functions = (THREADS, gives(0), gives(2), [RET], CORES, COUNTER)
    made, _ = load(*functions)
    assert made["guards"] == [GUARD]
    threads = ctypes.CFUNCTYPE(ctypes.c_int)(base())
    assert threads() == 2
    (before,) = [bytes.fromhex(jump["over"])[:1] for jump in made["jumps"]]
    assert before == b"\xe8"
    processor.lay_over({NAME: {**made, "guards": []}}, answers.CACHES)
    assert threads() == 5


def test_onednn_of_another_kind_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Written, "called", IMPORTED)
    without = [one for one in CORES if one.code != Code.LEA_R64_M]
    for functions in ((THREADS, [RET], [RET], [RET], without), (THREADS, *[[RET]] * 3, [RET])):
        with pytest.raises(sites.CannotMendError, match="oneDNN"):
            onednn.asked(Written(*functions))
    assert onednn.asked(Written(COUNTER)) is None
