"""What a library's code is to be changed to, as a table that the runtime lays over it."""

import base64
from collections.abc import Callable
from functools import partial
from typing import TypedDict

from scripts.build.one_processor import onednn, pools
from scripts.build.one_processor.asked import caches
from scripts.build.one_processor.assembly import Assembly, at_most, begin, nothing, stub
from scripts.build.one_processor.library import Library
from scripts.build.one_processor.sites import JUMP, sites

_PAGE = 4096
# What is put in place of functions of TensorFlow's own, where a release has them.
FUNCTIONS: dict[str, Callable[[Assembly], int]] = {
    # tsl::port::TestCPUFeature(CPUFeature), whose answers are of when the library was loaded. Its
    # numbers are in order of age: BMI2, 18, is the last of what every processor with AVX2 has.
    # https://github.com/google/tsl/blob/main/tsl/platform/cpu_info.h
    "_ZN3tsl4port14TestCPUFeatureENS0_10CPUFeatureE": partial(at_most, highest=18),
    # Rsqrt::SupportedVectorTypes(features) of XLA: for which types it generates code that estimates
    # 1/sqrt(x), where no table would find it; for the others it divides by the square root.
    # https://github.com/openxla/xla/blob/main/xla/codegen/intrinsic/rsqrt.h
    "_ZN3xla7codegen10intrinsics5Rsqrt20SupportedVectorTypes"
    "ESt17basic_string_viewIcSt11char_traitsIcEE": nothing,
}


class Jump(TypedDict):
    """A jump that is laid over a library's code."""

    at: int
    over: str
    to: int


class Table(TypedDict):
    """What is laid over one library; addresses count from where it is loaded."""

    origin: int
    code: str
    fixups: list[int]
    jumps: list[Jump]
    caches: list[int]
    guards: list[int]


def of(library: Library) -> Table:
    """Return the table of a library.

    Returns:
        `code`, in base64, is written for the address `origin`; where it stands so many bytes behind
        it, each of the four-byte numbers at `fixups` has to be that much smaller. Each of `jumps`
        lies `over` these bytes, in hexadecimal, and leads to an offset in the code. At each of
        `caches` stand the sizes of the caches that the library has found while it was loaded: three
        integers of eight bytes, to be replaced by answers.CACHES. At each of `guards` is a byte to
        be set to zero, so that what was asked while it was loaded is asked anew.

    Raises:
        CannotMendError: an instruction is of a form that we do not know, or has no room.
    """
    assembly = Assembly(-(-library.size // _PAGE) * _PAGE)
    one, answer = begin(assembly)
    jumps: list[Jump] = []

    def lay(start: int, end: int, to: int) -> None:
        over = library.code(start, end).hex()
        jumps.append(Jump(at=start, over=over, to=to - assembly.origin))

    asking = set()
    for site in sites(library):
        asking.add(library.function(site.start)[0])
        lay(site.start, site.end, stub(assembly, site, one, answer))
    for name, write in FUNCTIONS.items():
        start = library.symbol(name)
        if start is not None:
            lay(start, start + JUMP, write(assembly))
    begins = pools.entry(library)
    if begins is not None:
        lay(begins.start, begins.end, pools.constructor(assembly, library, begins))
    of_onednn = onednn.asked(library)
    if of_onednn is not None:
        cpus = of_onednn.cpus
        lay(cpus.start, cpus.end, onednn.unknown(assembly, cpus))
    code = base64.b64encode(assembly.code).decode()
    return Table(
        origin=assembly.origin,
        code=code,
        fixups=assembly.fixups,
        jumps=jumps,
        caches=list(caches(library, asking)),
        guards=[] if of_onednn is None else [of_onednn.guard],
    )
