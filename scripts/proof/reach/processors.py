"""As what the rows are computed: the machine with some of its CPUs, or emulated as another one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

# QEMU's names. AVX2 and FMA and nothing above, of two vendors, with other caches:
# https://www.qemu.org/docs/master/system/i386/cpu.html
MODELS = ("Haswell-noTSX", "Skylake-Client", "EPYC", "EPYC-Milan")
FEW = (1, 2)


@dataclass(frozen=True)
class Processor:
    """What a process gets to see.

    Attributes:
        name: for people, and in the file of results.
        model: of QEMU; empty natively.
        cpus: how many of the machine's are visible; 0 is all.
        env: variables on top of the image's.
    """

    name: str
    model: str = ""
    cpus: int = 0
    env: Mapping[str, str] = field(default_factory=dict)

    @property
    def settings(self) -> dict[str, object]:
        """What the Docker SDK is told."""
        return {"cpuset_cpus": f"0-{self.cpus - 1}"} if self.cpus else {}


NATIVE = Processor("native")


def chosen(cpus: int, models: Sequence[str] = (), *, sample: bool) -> Iterator[Processor]:
    """Yield those that are compared; the first is what the others are compared with.

    Args:
        cpus: how many the engine's machine has.
        models: which are emulated; none is all, and for a sample the first.
        sample: whether it is, for which the machine's own CPUs are not told apart.
    """
    yield NATIVE
    if not sample:
        yield from (Processor(f"{few} CPU", cpus=few) for few in FEW if few < cpus)
    wanted = models or (MODELS[:1] if sample else MODELS)
    yield from (Processor(model, model) for model in wanted)
