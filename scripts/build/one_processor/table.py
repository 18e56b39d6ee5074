"""What a library's code is to be changed to, as a table that the runtime lays over it."""

import base64
from typing import TypedDict

from scripts.build.one_processor.asked import caches
from scripts.build.one_processor.assembly import Assembly, at_most, begin, stub
from scripts.build.one_processor.library import Library
from scripts.build.one_processor.sites import JUMP, sites

_PAGE = 4096
# tsl::port::TestCPUFeature(CPUFeature), whose answers are of when the library was loaded. Its
# numbers are in order of age: BMI2 is the last of what every processor with AVX2 has.
# https://github.com/google/tsl/blob/main/tsl/platform/cpu_info.h
_TEST_CPU_FEATURE = "_ZN3tsl4port14TestCPUFeatureENS0_10CPUFeatureE"
_BMI2 = 18


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


def of(library: Library) -> Table:
    """Return the table of a library.

    Returns:
        `code`, in base64, is written for the address `origin`; where it stands so many bytes behind
        it, each of the four-byte numbers at `fixups` has to be that much smaller. Each of `jumps`
        lies `over` these bytes, in hexadecimal, and leads to an offset in the code. At each of
        `caches` stand the sizes of the caches that the library has found while it was loaded: three
        integers of eight bytes, to be replaced by answers.CACHES.

    Raises:
        CannotMendError: an instruction is of a form that we do not know, or has no room.
    """
    assembly = Assembly(-(-library.size // _PAGE) * _PAGE)
    one, answer = begin(assembly)
    jumps, asking = [], set()
    for site in sites(library):
        asking.add(library.function(site.start)[0])
        to = stub(assembly, site, one, answer) - assembly.origin
        jumps.append(Jump(at=site.start, over=library.code(site.start, site.end).hex(), to=to))
    feature = library.symbol(_TEST_CPU_FEATURE)
    if feature is not None:
        over = library.code(feature, feature + JUMP).hex()
        to = at_most(assembly, _BMI2) - assembly.origin
        jumps.append(Jump(at=feature, over=over, to=to))
    code = base64.b64encode(assembly.code).decode()
    return Table(
        origin=assembly.origin,
        code=code,
        fixups=assembly.fixups,
        jumps=jumps,
        caches=list(caches(library, asking)),
    )
