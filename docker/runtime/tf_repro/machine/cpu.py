"""What the processor can do, as far as it decides bits."""

import os

from tf_repro import environment, settings

NUMPY_DISABLE = "NPY_DISABLE_CPU_FEATURES"

# The first processor's entry is well within this; the whole file has one for each of them and
# takes milliseconds on a large machine.
_FIRST_ENTRY = 8192

# What NumPy calls a set of instructions -> the flags that it stands for, in each of the two
# namings (before NumPy 2.4, and since).
# https://numpy.org/doc/stable/reference/simd/build-options.html
_SKX = ("avx512f", "avx512cd", "avx512vl", "avx512bw", "avx512dq")
_CNL = (*_SKX, "avx512ifma", "avx512vbmi")
_ICL = (*_CNL, "avx512_vnni", "avx512_vbmi2", "avx512_bitalg", "avx512_vpopcntdq")
NUMPY_AVX512 = {
    "AVX512F": ("avx512f",),
    "AVX512CD": ("avx512f", "avx512cd"),
    "AVX512_SKX": _SKX,
    "AVX512_CLX": (*_SKX, "avx512_vnni"),
    "AVX512_CNL": _CNL,
    "AVX512_ICL": _ICL,
    "AVX512_SPR": (*_ICL, "avx512_fp16"),
    "X86_V4": _SKX,
}


def flags(cpuinfo: str = "/proc/cpuinfo") -> frozenset[str]:
    """Return the first processor's flags as Linux names them; empty where it has no such list."""
    return frozenset(_field("flags", cpuinfo).split())


def model(cpuinfo: str = "/proc/cpuinfo") -> str:
    """Return the first processor's name; empty where Linux tells none."""
    return _field("model name", cpuinfo)


def _field(name: str, cpuinfo: str) -> str:
    try:
        file = os.open(cpuinfo, os.O_RDONLY | os.O_CLOEXEC)
        try:
            text = os.read(file, _FIRST_ENTRY).decode("ascii", "replace")
        finally:
            os.close(file)
    except OSError:
        return ""
    for line in text.splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return ""


def numpy_features_to_disable(have: frozenset[str]) -> str:
    """Return a value for NPY_DISABLE_CPU_FEATURES that brings the machine down to AVX2.

    NumPy warns of a feature that the machine lacks, so only those that it has are named.
    """
    return " ".join(name for name, needs in NUMPY_AVX512.items() if have.issuperset(needs))


def lacking(have: frozenset[str]) -> str:
    """Return what an x86 processor lacks to compute as all others do, as "AVX2"; empty if nothing.

    Kernels for Haswell, the first that had it, have both: of AVX2 without FMA they would die.
    """
    return next((name.upper() for name in ("avx2", "fma") if have and name not in have), "")


def prepare() -> str:
    """Fix what follows the processor, before NumPy or TensorFlow look at it.

    Returns:
        A line for the user where it cannot be fixed, else "".
    """
    if settings.current.reach == "machine":
        return ""
    have = flags()
    if lacks := lacking(have):
        for name, value in environment.MACHINE_AVX2.items():
            if os.environ.get(name) == value:
                del os.environ[name]
        return (
            f"this processor has no {lacks}: results repeat on processors like it, and differ from "
            "those of other machines"
        )
    disabled = numpy_features_to_disable(have)
    if disabled and os.environ.setdefault(NUMPY_DISABLE, disabled) == disabled:
        # It also warns of names of another release, 1.24 for all to see and later ones under -W.
        import warnings  # noqa: PLC0415  # NumPy imports it next

        message = f"During parsing environment variable:? '{NUMPY_DISABLE}'"
        warnings.filterwarnings("ignore", message, Warning)
    return ""
