"""The code that TensorFlow's jumps lead to: exact where the processor estimates, and one CPUID."""

from __future__ import annotations

from typing import NamedTuple

from iced_x86 import (
    Code,
    Code_,
    Encoder,
    Instruction,
    MemoryOperand,
    Mnemonic,
    OpKind,
    Register,
    Register_,
)

from scripts.build.one_processor import answers
from scripts.build.one_processor.sites import CPUID, Site, is_sought

# Below the stack's end, where a function may keep what it likes without saying so.
# https://gitlab.com/x86-psABIs/x86-64-ABI (the red zone)
_RED_ZONE = 128
_YMM = 32
_ALIGNMENT = 16


class Assembly:
    """Code that is written one instruction after another.

    `origin` is where it is to stand, in the library's addresses. What it says of the library by
    distance is in `fixups`: offsets of four bytes each, which move with where it really stands.
    """

    def __init__(self, origin: int) -> None:
        self.origin = origin
        self.code = bytearray()
        self.fixups: list[int] = []

    @property
    def here(self) -> int:
        """Where the next instruction will stand."""
        return self.origin + len(self.code)

    def put(self, instruction: Instruction, *, outside: bool = False) -> None:
        """Write an instruction; `outside` if it names a place in the library by distance."""
        encoder = Encoder(64)
        start = len(self.code)
        encoder.encode(instruction, self.here)
        offsets = encoder.get_constant_offsets()
        self.code += encoder.take_buffer()
        if outside:
            within = (
                offsets.displacement_offset
                if offsets.has_displacement
                else offsets.immediate_offset
            )
            self.fixups.append(start + within)

    def data(self, what: bytes) -> int:
        """Write bytes that are no code; return where they stand."""
        at = self.here
        self.code += what
        return at

    def branch(self, code: Code_) -> int:
        """Write a short jump to somewhere behind it; return what land() finds it by."""
        self.put(Instruction.create_branch(code, self.here))
        return len(self.code)

    def land(self, *branches: int) -> None:
        """Have short jumps lead to here."""
        for after in branches:
            self.code[after - 1] = len(self.code) - after

    def align(self) -> None:
        """Have the next thing begin where the processor likes it to."""
        self.code += b"\xcc" * (-len(self.code) % _ALIGNMENT)


def begin(assembly: Assembly) -> tuple[int, int]:
    """Write what all stubs share; return where 1.0 stands and where CPUID is answered."""
    one = assembly.data(b"\x00\x00\x80\x3f")
    rows = assembly.data(answers.table())
    assembly.align()
    return one, _answer(assembly, rows)


def stub(assembly: Assembly, site: Site, one: int, answer: int) -> int:
    """Write what a site's jump leads to: the same, but for what is sought; return where."""
    assembly.align()
    start = assembly.here
    for instruction in site.taken:
        if not is_sought(instruction):
            assembly.put(instruction, outside=instruction.is_ip_rel_memory_operand)
        elif instruction.mnemonic == CPUID:
            _move_stack(assembly, -_RED_ZONE)
            assembly.put(Instruction.create_branch(Code.CALL_REL32_64, answer))
            _move_stack(assembly, _RED_ZONE)
        else:
            _exactly(assembly, instruction, one)
    assembly.put(Instruction.create_branch(Code.JMP_REL32_64, site.end), outside=True)
    return start


def at_most(assembly: Assembly, highest: int) -> int:
    """Write a function that says whether its argument is at most a number; return where."""
    assembly.align()
    start = assembly.here
    assembly.put(Instruction.create_reg_i32(Code.CMP_RM32_IMM8, Register.EDI, highest))
    assembly.put(Instruction.create_reg(Code.SETBE_RM8, Register.AL))
    assembly.put(Instruction.create(Code.RETNQ))
    return start


def nothing(assembly: Assembly) -> int:
    """Write a function that returns an empty std::vector in the caller's memory; return where."""
    assembly.align()
    start = assembly.here
    assembly.put(Instruction.create_reg_reg(Code.XOR_R32_RM32, Register.EAX, Register.EAX))
    for offset in (0, 8, 16):
        field = MemoryOperand(Register.RDI, displ=offset, displ_size=1)
        assembly.put(Instruction.create_mem_reg(Code.MOV_RM64_R64, field, Register.RAX))
    assembly.put(Instruction.create_reg_reg(Code.MOV_R64_RM64, Register.RAX, Register.RDI))
    assembly.put(Instruction.create(Code.RETNQ))
    return start


def _move_stack(assembly: Assembly, by: int) -> None:
    """Move the stack's end, and leave the flags as they are."""
    there = MemoryOperand(Register.RSP, displ=by, displ_size=8)
    assembly.put(Instruction.create_reg_mem(Code.LEA_R64_M, Register.RSP, there))


class _Forms(NamedTuple):
    """The instructions for one width of registers."""

    load: Code_
    sqrt: Code_
    spread: Code_
    divide: Code_


_OF_YMM = _Forms(
    load=Code.VEX_VMOVUPS_YMM_YMMM256,
    sqrt=Code.VEX_VSQRTPS_YMM_YMMM256,
    spread=Code.VEX_VBROADCASTSS_YMM_M32,
    divide=Code.VEX_VDIVPS_YMM_YMM_YMMM256,
)
_OF_XMM = _Forms(
    load=Code.VEX_VMOVUPS_XMM_XMMM128,
    sqrt=Code.VEX_VSQRTPS_XMM_XMMM128,
    spread=Code.VEX_VBROADCASTSS_XMM_M32,
    divide=Code.VEX_VDIVPS_XMM_XMM_XMMM128,
)


# One of them is neither of an instruction's two; it is left as it was.
_SCRATCH = (
    (Register.YMM0, Register.XMM0),
    (Register.YMM1, Register.XMM1),
    (Register.YMM2, Register.XMM2),
)


def _exactly(assembly: Assembly, estimate: Instruction, one: int) -> None:
    """Write 1/x, or 1/sqrt(x), as IEEE 754 has it: float32 by one or two correctly rounded ops."""
    to, of = estimate.op0_register, estimate.op1_register
    forms = _OF_YMM if Register.YMM0 <= to <= Register.YMM15 else _OF_XMM
    if estimate.op1_kind == OpKind.MEMORY:
        # Before the stack's end moves, by which the operand may be told.
        operand = MemoryOperand(
            estimate.memory_base,
            estimate.memory_index,
            estimate.memory_index_scale,
            _signed(estimate.memory_displacement),
            estimate.memory_displ_size,
        )
        outside = estimate.is_ip_rel_memory_operand
        assembly.put(Instruction.create_reg_mem(forms.load, to, operand), outside=outside)
        of = to
    whole, half = next(pair for pair in _SCRATCH if not {to, of} & set(pair))
    part = whole if forms is _OF_YMM else half
    constant = MemoryOperand(Register.RIP, displ=one, displ_size=8)
    kept = MemoryOperand(Register.RSP)
    _move_stack(assembly, -_RED_ZONE - _YMM)
    assembly.put(Instruction.create_mem_reg(Code.VEX_VMOVUPS_YMMM256_YMM, kept, whole))
    if estimate.mnemonic == Mnemonic.VRSQRTPS:
        assembly.put(Instruction.create_reg_reg(forms.sqrt, to, of))
        of = to
    assembly.put(Instruction.create_reg_mem(forms.spread, part, constant))
    assembly.put(Instruction.create_reg_reg_reg(forms.divide, to, part, of))
    assembly.put(Instruction.create_reg_mem(Code.VEX_VMOVUPS_YMM_YMMM256, whole, kept))
    _move_stack(assembly, _RED_ZONE + _YMM)


def _signed(displacement: int) -> int:
    """Return as a number what iced has as 64 bits."""
    return displacement - (1 << 64) if displacement >= 1 << 63 else displacement


def _answer(assembly: Assembly, rows: int) -> int:
    """Write CPUID as answers.py has it, for all registers and the flags as it leaves them."""
    start = assembly.here
    put, create = assembly.put, Instruction
    saved = (Register.RSI, Register.R8, Register.R9)
    put(create.create(Code.PUSHFQ))
    for register in saved:
        put(create.create_reg(Code.PUSH_R64, register))
    put(create.create_reg_reg(Code.MOV_R32_RM32, Register.R8D, Register.EAX))
    put(create.create_reg_reg(Code.MOV_R32_RM32, Register.R9D, Register.ECX))
    put(create.create(Code.CPUID))
    table = MemoryOperand(Register.RIP, displ=rows, displ_size=8)
    put(create.create_reg_mem(Code.LEA_R64_M, Register.RSI, table))

    def field(number: int) -> MemoryOperand:
        return MemoryOperand(Register.RSI, displ=4 * number, displ_size=1)

    row = assembly.here
    any_leaf = _when(assembly, Code.CMP_RM32_IMM8, field(0), Code.JE_REL8_64)
    other_leaf = _when(assembly, Code.CMP_RM32_R32, field(0), Code.JNE_REL8_64, Register.R8D)
    any_subleaf = _when(assembly, Code.CMP_RM32_IMM8, field(1), Code.JE_REL8_64)
    same_subleaf = _when(assembly, Code.CMP_RM32_R32, field(1), Code.JE_REL8_64, Register.R9D)
    assembly.land(other_leaf)
    put(create.create_reg_i32(Code.ADD_RM64_IMM8, Register.RSI, answers.ROW.size))
    put(create.create_branch(Code.JMP_REL32_64, row))
    assembly.land(any_leaf, any_subleaf, same_subleaf)
    for number, register in enumerate((Register.EAX, Register.EBX, Register.ECX, Register.EDX)):
        put(create.create_reg_mem(Code.AND_R32_RM32, register, field(2 + number)))
        put(create.create_reg_mem(Code.OR_R32_RM32, register, field(6 + number)))
    for register in reversed(saved):
        put(create.create_reg(Code.POP_R64, register))
    put(create.create(Code.POPFQ))
    put(create.create(Code.RETNQ))
    return start


def _when(
    assembly: Assembly,
    compare: Code_,
    what: MemoryOperand,
    jump: Code_,
    register: Register_ | None = None,
) -> int:
    """Compare a field, with a register or with ANY, and jump; return what land() finds it by."""
    if register is None:
        assembly.put(Instruction.create_mem_i32(compare, what, -1))
    else:
        assembly.put(Instruction.create_mem_reg(compare, what, register))
    return assembly.branch(jump)
