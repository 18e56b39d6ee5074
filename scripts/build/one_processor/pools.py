"""TensorFlow's pool for the parts of an op: of its threads, no more work than there are CPUs.

How many threads a pool has decides how sums are split, so it is the same everywhere; threads that
share a CPU would only take it from each other. Those beyond the CPUs are given something to wait
for, right after the pool was made, that never comes: the others take over what is theirs, as they
do of any thread that is busy. Such a pool is as old as its process, so nobody waits for its end.
https://github.com/tensorflow/tensorflow/blob/v2.15.1/tensorflow/core/common_runtime/local_device.cc
"""

from typing import NamedTuple

from iced_x86 import Code, Instruction, MemoryOperand, Register, Register_

from scripts.build.one_processor.assembly import Assembly
from scripts.build.one_processor.library import Library
from scripts.build.one_processor.sites import CannotMendError, Site, beginning

# tsl::thread::ThreadPool's constructor (env, options, name, threads, low latency, allocator), which
# all others call; its Schedule(std::function<void()>); and how many CPUs the process may run on.
# https://github.com/openxla/xla/blob/main/xla/tsl/platform/threadpool.h
CONSTRUCTOR = (
    "_ZN3tsl6thread10ThreadPoolC1EPNS_3EnvERKNS_13ThreadOptionsERKNSt7__cxx1112basic_string"
    "IcSt11char_traitsIcESaIcEEEibPN5Eigen9AllocatorE"
)
SCHEDULE = "_ZN3tsl6thread10ThreadPool8ScheduleESt8functionIFvvEE"
CPUS = "_ZN3tsl4port18NumSchedulableCPUsEv"
# How the name of this pool begins, and of no other: "numa_-1_Eigen".
_OF_OPS = int.from_bytes(b"numa", "little")
# TensorFlow leaves nothing to a pool of one thread. This one says that it has more, so that a part
# may wait for parts of its own: with one thread at work, nobody would compute those.
_AT_LEAST = 2
# Where the constructor's arguments are. https://gitlab.com/x86-psABIs/x86-64-ABI
_POOL, _NAME, _THREADS = Register.RDI, Register.RCX, Register.R8
# https://github.com/torvalds/linux/blob/master/arch/x86/entry/syscalls/syscall_64.tbl
_PAUSE = 34
# A std::function of GCC's: what it holds, two words; what copies it; what calls it. The size keeps
# the stack aligned. Whoever is given it takes the words over, so nothing is left to destroy.
# https://gcc.gnu.org/onlinedocs/gcc-13.1.0/libstdc++/api/a00194_source.html (std_function.h)
_MANAGER, _INVOKER, _SIZE = 16, 24, 40


def entry(library: Library) -> Site | None:
    """Return the beginning of the constructor, None if the library makes no pools of its own.

    Raises:
        CannotMendError: it makes them, and they cannot be given anything to wait for.
    """
    constructor, schedule, cpus = map(library.symbol, (CONSTRUCTOR, SCHEDULE, CPUS))
    if constructor is None:
        return None
    if schedule is None or cpus is None:
        raise CannotMendError("its pools of threads are of no kind that we know")
    return beginning(library, constructor)


def constructor(assembly: Assembly, library: Library, begins: Site) -> int:
    """Write what is to be run instead of the constructor that begins there; return where."""
    assembly.align()
    original = assembly.here
    for instruction in begins.taken:
        assembly.put(instruction, outside=instruction.is_ip_rel_memory_operand)
    assembly.put(Instruction.create_branch(Code.JMP_REL32_64, begins.end), outside=True)
    function = _Function(_manager(assembly), _invoker(assembly))
    assembly.align()
    start = assembly.here
    another = _made(assembly, original)
    _wait(assembly, library, function)
    assembly.land(another)
    assembly.put(Instruction.create(Code.RETNQ))
    return start


class _Function(NamedTuple):
    """Of a std::function, what copies and destroys it, and what calls it."""

    manager: int
    invoker: int


def _manager(assembly: Assembly) -> int:
    """Write what copies and destroys a function that holds nothing."""
    start = assembly.here
    assembly.put(Instruction.create_reg_reg(Code.XOR_R32_RM32, Register.EAX, Register.EAX))
    assembly.put(Instruction.create(Code.RETNQ))
    return start


def _invoker(assembly: Assembly) -> int:
    """Write a function that never returns: it waits for signals, as long as the process lives."""
    start = assembly.here
    assembly.put(Instruction.create_reg_u32(Code.MOV_R32_IMM32, Register.EAX, _PAUSE))
    assembly.put(Instruction.create(Code.SYSCALL))
    assembly.put(Instruction.create_branch(Code.JMP_REL32_64, start))
    return start


def _made(assembly: Assembly, original: int) -> int:
    """Write the constructor's call, and a branch that another pool takes; return the branch."""
    put, create = assembly.put, Instruction
    # The allocator is on the stack; it is pushed twice, which keeps the stack aligned.
    kept = (_POOL, _NAME, _THREADS, Register.RAX, Register.RAX)
    put(create.create_reg_mem(Code.MOV_R64_RM64, Register.RAX, _at(Register.RSP, 8)))
    for register in kept:
        put(create.create_reg(Code.PUSH_R64, register))
    put(create.create_branch(Code.CALL_REL32_64, original))
    for register in reversed(kept):
        put(create.create_reg(Code.POP_R64, register))
    put(create.create_reg_mem(Code.MOV_R64_RM64, Register.RAX, _at(_NAME)))
    put(create.create_mem_i32(Code.CMP_RM32_IMM32, _at(Register.RAX), _OF_OPS))
    return assembly.branch(Code.JNE_REL8_64)


def _wait(assembly: Assembly, library: Library, function: _Function) -> None:
    """Write what schedules a function as many times as the pool has threads beyond the CPUs."""
    put, create = assembly.put, Instruction
    pool, more, argument = Register.R12, Register.EBX, Register.RSP
    for register in (Register.RBX, pool):
        put(create.create_reg(Code.PUSH_R64, register))
    put(create.create_reg_i32(Code.SUB_RM64_IMM8, argument, _SIZE))
    put(create.create_reg_reg(Code.MOV_R64_RM64, pool, _POOL))
    put(create.create_reg_reg(Code.MOV_R32_RM32, more, Register.R8D))
    put(create.create_branch(Code.CALL_REL32_64, library.symbol(CPUS) or 0), outside=True)
    put(create.create_reg_u32(Code.MOV_R32_IMM32, Register.ECX, _AT_LEAST))
    put(create.create_reg_reg(Code.CMP_R32_RM32, Register.EAX, Register.ECX))
    put(create.create_reg_reg(Code.CMOVL_R32_RM32, Register.EAX, Register.ECX))
    put(create.create_reg_reg(Code.SUB_R32_RM32, more, Register.EAX))
    again = assembly.here
    enough = assembly.branch(Code.JLE_REL8_64)
    for offset, what in ((_MANAGER, function.manager), (_INVOKER, function.invoker)):
        put(create.create_reg_mem(Code.LEA_R64_M, Register.RAX, _at(Register.RIP, what)))
        put(create.create_mem_reg(Code.MOV_RM64_R64, _at(argument, offset), Register.RAX))
    put(create.create_reg_reg(Code.MOV_R64_RM64, Register.RDI, pool))
    put(create.create_reg_reg(Code.MOV_R64_RM64, Register.RSI, argument))
    put(create.create_branch(Code.CALL_REL32_64, library.symbol(SCHEDULE) or 0), outside=True)
    put(create.create_reg(Code.DEC_RM32, more))
    put(create.create_branch(Code.JMP_REL32_64, again))
    assembly.land(enough)
    put(create.create_reg_i32(Code.ADD_RM64_IMM8, argument, _SIZE))
    for register in (pool, Register.RBX):
        put(create.create_reg(Code.POP_R64, register))


def _at(base: Register_, displacement: int = 0) -> MemoryOperand:
    return MemoryOperand(base, displ=displacement, displ_size=8)
