"""What oneDNN reckons with: how many threads, until it is given a pool, and which processor.

It takes the lesser of the processor's cores, eight by answers.py, and the CPUs that the process
may run on; in 2.12 for all that it computes. That decides how sums are split, so it is not told the
latter, and takes all eight. What it knows of the processor it asks once; 2.12 does so while it is
loaded, before anything could be mended, and has to ask again.
https://github.com/uxlfoundation/oneDNN/blob/v2.7.3/src/cpu/platform.cpp (get_max_threads_to_use)
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from iced_x86 import Code, Instruction, Mnemonic, OpKind, Register, Register_

from scripts.build.one_processor.assembly import Assembly
from scripts.build.one_processor.library import Library
from scripts.build.one_processor.sites import CannotMendError, Site

_ASKS, _COUNTS = "sched_getaffinity", "__sched_cpucount"
# What the making of a function's static variable begins with, given the address of its guard.
# https://itanium-cxx-abi.github.io/cxx-abi/abi.html#once-ctor
_MAKES = "__cxa_guard_acquire"
# The size of a cpu_set_t as the first argument, and a call.
_SIZE_AND_CALL = re.compile(rb"\xbf\x80\x00\x00\x00\xe8", re.S)
_LESSER = (Mnemonic.CMOVL, Mnemonic.CMOVLE, Mnemonic.CMOVG, Mnemonic.CMOVGE)
_Code = Sequence[Instruction]


@dataclass(frozen=True)
class Asked:
    """What oneDNN asks.

    Attributes:
        cpus: the call that asks for the CPUs.
        guard: where a byte is not zero once it has asked for the processor (`cpu()`).
    """

    cpus: Site
    guard: int


def asked(library: Library) -> Asked | None:
    """Return where oneDNN asks, None if it is not in the library.

    Raises:
        CannotMendError: it does so in another way.
    """
    asks, counts, makes = map(library.imported, (_ASKS, _COUNTS, _MAKES))
    if asks is None or counts is None or makes is None:
        return None
    found = [one for code in _functions(library, counts) for one in code if _is_call(one, asks)]
    if not found:
        return None
    function = library.instructions(*library.function(int(found[0].ip)))
    guards = set(_guards(library, function, makes))
    if len(found) > 1 or len(guards) != 1:
        raise CannotMendError("oneDNN asks for the CPUs, or for the processor, as it never has")
    return Asked(Site((found[0],)), guards.pop())


def _functions(library: Library, counts: int) -> Iterator[_Code]:
    """Yield the functions that take the lesser of the CPUs and another number.

    Others that count the CPUs, as LLVM and TensorFlow do for pools of their own, take no such.
    """
    for address in library.find(_SIZE_AND_CALL):
        code = library.instructions(*library.function(address))
        for index, one in enumerate(code):
            if _is_call(one, counts) and _is_lesser(code[index + 1 : index + 3]):
                yield code


def _is_call(instruction: Instruction, to: int) -> bool:
    return instruction.code == Code.CALL_REL32_64 and instruction.near_branch_target == to


def _is_lesser(code: _Code) -> bool:
    """Return whether two instructions take the lesser of what was counted and another number."""
    if [one.mnemonic for one in code[:1]] != [Mnemonic.CMP] or code[-1].mnemonic not in _LESSER:
        return False
    return all(Register.EAX in (one.op0_register, one.op1_register) for one in code)


def _guards(library: Library, function: _Code, makes: int) -> Iterator[int]:
    """Yield the guards of the static variables of a function, and of those that it calls."""
    called = (one.near_branch_target for one in function if one.code == Code.CALL_REL32_64)
    inside = [library.function(to) for to in called if library.start <= to < library.end]
    for code in (function, *(library.instructions(*one) for one in inside)):
        for index, one in enumerate(code):
            if _is_call(one, makes):
                yield _argument(code[:index])


def _argument(code: _Code, register: Register_ = Register.RDI) -> int:
    """Return the address that code has put into a register last."""
    for index in reversed(range(len(code))):
        one = code[index]
        if one.op_count and one.op0_register == register:
            if one.mnemonic == Mnemonic.LEA and one.is_ip_rel_memory_operand:
                return int(one.ip_rel_memory_address)
            if one.mnemonic == Mnemonic.MOV and one.op1_kind == OpKind.REGISTER:
                return _argument(code[:index], one.op1_register)
    raise CannotMendError("oneDNN's processor cannot be told")


def unknown(assembly: Assembly, cpus: Site) -> int:
    """Write the answer that the CPUs cannot be told; return where."""
    assembly.align()
    start = assembly.here
    assembly.put(Instruction.create_reg_i32(Code.MOV_R32_IMM32, Register.EAX, -1))
    assembly.put(Instruction.create_branch(Code.JMP_REL32_64, cpus.end), outside=True)
    return start
