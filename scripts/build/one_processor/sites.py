"""Where a library's code asks the processor for what no two answer alike."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from iced_x86 import FlowControl, Instruction, Mnemonic

from scripts.build.one_processor.library import Library

# What takes a site away: a jump to anywhere within two GiB.
JUMP = 5

# The bytes of an instruction that is looked for hold these; most that do are something else.
_BYTES = re.compile(
    rb"\xc5.[\x52\x53]|\xc4..[\x52\x53]|\x0f[\x52\x53]|\x62.{3}[\x4c-\x4f]|\x0f\xa2", re.S
)
CPUID = Mnemonic.CPUID
ESTIMATES = (Mnemonic.VRSQRTPS, Mnemonic.VRCPPS)
# No build of TensorFlow has these, and an instruction of one value is mended in another way. Those
# of AVX-512 and of SSE are in some: XNNPACK has them for processors with AVX-512 and without AVX,
# and takes by CPUID what it has for AVX.
UNKNOWN = (Mnemonic.VRSQRTSS, Mnemonic.VRCPSS)


@dataclass(frozen=True)
class Site:
    """Instructions that a jump takes the room of, one that is sought among them or several."""

    taken: tuple[Instruction, ...]

    @property
    def start(self) -> int:
        """Where the first of them stands."""
        return int(self.taken[0].ip)

    @property
    def end(self) -> int:
        """Where the code goes on."""
        return int(self.taken[-1].next_ip)


class CannotMendError(ValueError):
    """The code around an instruction leaves no room for a jump."""


def sites(library: Library) -> Iterator[Site]:
    """Yield every place of a library that has to be mended, in order of address.

    Raises:
        CannotMendError: one of them cannot be.
    """
    by_function: dict[tuple[int, int], set[int]] = {}
    for address in library.find(_BYTES):
        by_function.setdefault(library.function(address), set()).add(address)
    free = 0
    for (start, end), addresses in sorted(by_function.items()):
        code = library.instructions(start, end)
        for index, instruction in enumerate(code):
            if instruction.ip < free or instruction.ip not in addresses:
                continue
            if is_sought(instruction):
                site = _with_room(code, index, free, _jumped_to(library, code))
                free = site.end
                yield site


def beginning(library: Library, function: int) -> Site:
    """Return the first instructions of a function, as many as make room for a jump.

    Raises:
        CannotMendError: they cannot stand elsewhere.
    """
    code = library.instructions(*library.function(function))
    return _with_room(code, 0, function, _jumped_to(library, code))


def is_sought(instruction: Instruction) -> bool:
    """Return whether no two processors answer an instruction alike.

    Raises:
        CannotMendError: they do not, and it is of a form that we cannot mend.
    """
    if instruction.mnemonic in UNKNOWN:
        raise CannotMendError(f"{instruction} at {instruction.ip:#x} is of no form that we know")
    return instruction.mnemonic == CPUID or instruction.mnemonic in ESTIMATES


def _jumped_to(library: Library, code: Sequence[Instruction]) -> set[int]:
    """Return the addresses that something in a function may jump to."""
    start, end = code[0].ip, code[-1].next_ip
    targets = {one.near_branch_target for one in code if one.near_branch_target}
    if any(one.flow_control == FlowControl.INDIRECT_BRANCH for one in code):
        for one in code:
            if one.mnemonic == Mnemonic.LEA and one.is_ip_rel_memory_operand:
                address = one.ip_rel_memory_address
                targets.update(library.jump_table(address, start, end))
    return targets


def _with_room(code: Sequence[Instruction], index: int, free: int, targets: set[int]) -> Site:
    """Return an instruction with those after it, else before it, that make room for a jump.

    Args:
        code: a function.
        index: which of its instructions.
        free: the address before which the code is taken already.
        targets: where the function jumps to.
    """
    for step in (1, -1):
        first = last = index
        while code[last].next_ip - code[first].ip < JUMP:
            first, last = (first, last + 1) if step > 0 else (first - 1, last)
            if first < 0 or last == len(code):
                break
        else:
            taken = tuple(code[first : last + 1])
            if (
                taken[0].ip >= free
                and all(one.flow_control == FlowControl.NEXT for one in taken)
                and not any(one.ip in targets for one in taken[1:])
            ):
                return Site(taken)
    raise CannotMendError(f"{code[index]} at {code[index].ip:#x} has no room for a jump")
