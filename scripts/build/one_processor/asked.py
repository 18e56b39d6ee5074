"""What a library has asked the processor while it was loaded, before anything could be mended."""

from collections.abc import Iterator, Sequence, Set

from iced_x86 import Code, Instruction

from scripts.build.one_processor.library import Library

# Eigen's CacheSizes: of the first, second and third level.
# https://gitlab.com/libeigen/eigen/-/blob/3.4/Eigen/src/Core/products/GeneralBlockPanelKernel.h
_LEVELS = 3
_SIZE = 8


def caches(library: Library, asking: Set[int]) -> Iterator[int]:
    """Yield where initialisers have put the sizes of caches that they had from a function.

    Args:
        library: the library.
        asking: its functions that ask by CPUID, as Eigen's queryCacheSizes does.
    """
    for start in library.initialisers():
        code = library.instructions(*library.function(start))
        for index, instruction in enumerate(code):
            if instruction.code == Code.CALL_REL32_64 and instruction.near_branch_target in asking:
                kept = _kept(code[index + 1 :])
                if kept is not None:
                    yield kept


def _kept(code: Sequence[Instruction]) -> int | None:
    """Return where code puts three integers side by side, one after the other."""
    stores = [
        one.ip_rel_memory_address
        for one in code
        if one.code == Code.MOV_RM64_R64 and one.is_ip_rel_memory_operand
    ][:_LEVELS]
    wanted = [stores[0] + _SIZE * level for level in range(_LEVELS)] if stores else []
    return int(stores[0]) if stores and stores == wanted else None
