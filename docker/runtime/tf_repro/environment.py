"""The environment that decides bits: what the image sets, and what it refuses.

The Dockerfile's ENV says the same, for all to see; it is said again here because a child that is
started with an empty environment does not have it.
"""

import os
import sys

from tf_repro.settings import SettingsError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping

    from tf_repro.settings import Settings

HASH_SEED = "PYTHONHASHSEED"
# What a run is asked for; the first is always set in the image.
SETTINGS = (
    "TF_REPRO_SEED",
    "TF_REPRO",
    "TF_REPRO_ASLR",
    "TF_REPRO_REACH",
    "TF_REPRO_RESUME",
    "TF_REPRO_TRACK",
    "TF_REPRO_DEBUG",
)
# The folder that `tf-repro audit` wants the notes of every process in.
AUDIT = "TF_REPRO_AUDIT"
# The folder that `tf-repro verify` wants the record of every process in.
RECORD = "TF_REPRO_RECORD"
# The step that the extra pair of runs of `verify --bisect` looks into, counted from 1.
BISECT = "TF_REPRO_BISECT"
# The step after which `verify --interrupt` has the process killed, counted from 1.
KILL = "TF_REPRO_KILL"
# Holds the process' number, which exec keeps, so that no process begins again twice.
RESTARTED = "TF_REPRO_RESTARTED"
# Says to children what has been taken out of what the image put in: OF_OFF or OF_MACHINE.
LEFT_OFF = "TF_REPRO_LEFT_OFF"
OF_OFF, OF_MACHINE = "off", "machine"

# Equals tf.config.experimental.enable_op_determinism(), XLA included.
DETERMINISM = {"TF_DETERMINISTIC_OPS": "1"}

# The size of a thread pool and the instruction set decide how sums are split, and so their bits.
# TensorFlow's and OpenMP's defaults follow the CPUs that are visible. Of TensorFlow's eight no more
# work than there are CPUs (machine/processor.py), so eight leaves room on many, and what it costs
# on two is in docs/guarantees.md, measured by `make bench-reach`.
# OpenBLAS lowers any number to that of the CPUs, so 1 alone is the same everywhere; made to take
# more at run time, it computes the same everywhere, too, and takes a hundred times as long for a
# small system of equations where there are fewer CPUs (docs/guarantees.md).
# https://github.com/OpenMathLib/OpenBLAS/blob/develop/driver/others/memory.c (blas_get_cpu_number)
MACHINE = {
    "TF_NUM_INTRAOP_THREADS": "8",
    "OMP_NUM_THREADS": "8",
    "OPENBLAS_NUM_THREADS": "1",
}
# Only where there is AVX2: OpenBLAS would die of an illegal instruction where there is not.
# TensorFlow's own choice between its oneDNN and Eigen kernels follows AVX512_VNNI and its like.
# https://uxlfoundation.github.io/oneDNN/dev_guide_cpu_dispatcher_control.html
# https://github.com/tensorflow/tensorflow/blob/v2.15.1/tensorflow/core/util/util.cc (IsMKLEnabled)
MACHINE_AVX2 = {
    "TF_ENABLE_ONEDNN_OPTS": "1",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "OPENBLAS_CORETYPE": "Haswell",
}

_TRUE = ("1", "true", "True")
_FALSE = ("0", "false", "False", "")
# Variable -> (values that do no harm, why the others do).
REFUSED = {
    "TF_DETERMINISTIC_OPS": (
        _TRUE,
        "TF_REPRO=seed is the mode without deterministic kernels",
    ),
    "TF_DISABLE_SEGMENT_REDUCTION_OP_DETERMINISM_EXCEPTIONS": (
        _FALSE,
        "it lets segment reductions differ in silence",
    ),
    "TF_DISABLE_SCATTER_OP_DETERMINISM": (_FALSE, "it lets scatter ops differ in silence"),
    "TF_CUDNN_USE_AUTOTUNE": (
        _TRUE,
        "determinism needs TensorFlow's own, deterministic choice of cuDNN algorithms",
    ),
}


def our_hash_seed(seed: int) -> str:
    """Return how we, and the image's ENV, write a seed for str hashes.

    CPython reads a decimal number, whatever zeros it begins with. A user writes none, and that is
    how mode off tells the user's wish from ours.
    https://github.com/python/cpython/blob/3.11/Python/initconfig.c (config_init_hash_seed)
    """
    return f"0{seed}"


def lacks_hash_seed(chosen: "Settings", environ: "Mapping[str, str]") -> bool:
    """Return whether another seed for str hashes is due than this interpreter has.

    What the user has chosen stays, in every mode. An empty value is a choice, too: CPython takes it
    for none, as it does "random". Under -I and -E, CPython has read no seed and will read none.
    """
    if sys.flags.ignore_environment:
        return False
    value = environ.get(HASH_SEED)
    return value is None if chosen.mode != "off" else is_our_hash_seed(value)


def is_our_hash_seed(value: "str | None") -> bool:
    """Return whether it was us who wrote this value of PYTHONHASHSEED."""
    return value is not None and len(value) > 1 and value[0] == "0"


def is_filtered() -> bool:
    """Return whether a seccomp filter is in force, as in a default container.

    The default profiles of Docker, containerd and Podman refuse ADDR_NO_RANDOMIZE, and finding
    out by trying costs a millisecond of every start.
    https://github.com/moby/profiles/blob/main/seccomp/default.json
    """
    try:
        file = os.open("/proc/self/status", os.O_RDONLY | os.O_CLOEXEC)
        try:
            return b"\nSeccomp:\t2" in os.read(file, 8192)
        finally:
            os.close(file)
    except OSError:
        return True


def addresses_stay(chosen: "Settings") -> bool:
    """Return whether address-space randomisation is to be left as it is."""
    return chosen.aslr == "on" or (chosen.aslr == "auto" and is_filtered())


def may_need_restart(chosen: "Settings") -> bool:
    """Return whether machine.restart has anything to look at; cheap, as most have nothing."""
    if RESTARTED in os.environ or lacks_hash_seed(chosen, os.environ):
        return True
    return chosen.mode != "off" and not addresses_stay(chosen)


def may_lack_a_home(environ: "Mapping[str, str]") -> bool:
    """Return whether machine.home has anything to look at: a login would have set all of these."""
    return environ.get("HOME", "/") == "/" or not ("LOGNAME" in environ or "USER" in environ)


def adopt(environ: "MutableMapping[str, str]") -> None:
    """Take over the run's settings in a child that was started with an empty environment.

    The image's ENV always has a seed, so where there is none somebody has emptied it; the parent,
    or the container's first process, knows what was asked for.
    """
    if SETTINGS[0] in environ:
        return
    for process in (os.getppid(), 1):
        try:
            file = os.open(f"/proc/{process}/environ", os.O_RDONLY | os.O_CLOEXEC)
            try:
                text = os.read(file, 1 << 20).decode("utf-8", "surrogateescape")
            finally:
                os.close(file)
        except OSError:
            continue
        theirs = dict(pair.split("=", 1) for pair in text.split("\0") if "=" in pair)
        if SETTINGS[0] in theirs:
            for name in SETTINGS:
                if name in theirs:
                    environ.setdefault(name, theirs[name])
            return


def refuse(chosen: "Settings", environ: "MutableMapping[str, str]") -> None:
    """Refuse what weakens the determinism that `chosen` promises.

    Raises:
        SettingsError: a variable does; the message names it and the remedy.
    """
    if not chosen.deterministic:
        return
    for name, (harmless, reason) in REFUSED.items():
        value = environ.get(name)
        if value is not None and value not in harmless:
            raise SettingsError(f"{name}={value} works against TF_REPRO={chosen.mode}: {reason}")


def apply(chosen: "Settings", environ: "MutableMapping[str, str]") -> None:
    """Bring `environ` in line with the mode, before any library reads it.

    What the user chose for the machine stays. Mode off takes out what the image put in: without
    seeds, an ordinary program under TF_DETERMINISTIC_OPS raises at its first random op. So does the
    reach "machine" with what the image fixes for other machines.
    """
    if chosen.mode == "off":
        if environ.get(LEFT_OFF) != OF_OFF:
            _take_out(environ, {**DETERMINISM, **MACHINE, **MACHINE_AVX2})
            if is_our_hash_seed(environ.get(HASH_SEED)):
                # -I and -E have hidden it from this interpreter, and not from its children.
                del environ[HASH_SEED]
            environ[LEFT_OFF] = OF_OFF
        return
    for name, value in DETERMINISM.items():
        if chosen.deterministic:
            environ[name] = value
        else:
            environ.pop(name, None)
    if chosen.reach == "machine":
        if LEFT_OFF not in environ:
            _take_out(environ, {**MACHINE, **MACHINE_AVX2})
        environ[LEFT_OFF] = OF_MACHINE
        return
    environ.pop(LEFT_OFF, None)
    for name, value in {**MACHINE, **MACHINE_AVX2}.items():
        if name not in environ:
            environ[name] = value


def _take_out(environ: "MutableMapping[str, str]", ours: "Mapping[str, str]") -> None:
    """Take out what the image put in; what a child is given after that is its parent's choice."""
    for name, value in ours.items():
        if environ.get(name) == value:
            del environ[name]
