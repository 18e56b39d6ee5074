"""`tf-repro doctor`: what this interpreter guarantees, what it does not, and why."""

import importlib.metadata
import json
import os
import platform
import sys

from tf_repro import environment, settings, start
from tf_repro.machine import cpu, gpu, processor, restart
from tf_repro.recording import surroundings

YES, NO, PARTLY = "yes", "NO", "partly"
Line = tuple[str, str, str]

LIBRARIES = ("numpy", "tensorflow", "tensorflow-cpu", "keras", "torch", "jax", "cupy")
DOCKER_OPTION = "docker run --security-opt seccomp=unconfined, or a profile that allows it"
OTHER_PROCESSORS = "the same bits on other x86-64 processors with AVX2"
NOT_COVERED = (
    ("threads", "that share one global generator: `tf-repro audit` names them"),
    ("directories", "os.listdir and glob follow the file system: sort what they give"),
    (
        "processors",
        "by which other libraries than TensorFlow, NumPy and SciPy choose what they run: the"
        " interpreter of tf.lite, torch",
    ),
    ("on purpose", "os.urandom, secrets, uuid4, SystemRandom and TLS stay random"),
)


def report() -> list[Line]:
    """Return (guarantee, YES, NO or PARTLY, reason) lines about this interpreter."""
    lines = [_hooks(), _kernels(), _hashes(), _addresses(), *_reach()]
    return lines + (_gpu() if gpu.is_gpu_image() else [])


def _gpu() -> list[Line]:
    expected = gpu.Expected()
    what = f"CUDA {expected.cuda} and cuDNN {expected.cudnn} load"
    broken = gpu.libraries(expected)
    loads = (what, NO if broken else YES, "; ".join(broken) or ", ".join(expected.libraries))
    reason = gpu.why_none(expected)
    version = gpu.driver_version()
    return [loads, ("a GPU is seen", NO if reason else YES, reason or f"driver {version}")]


def _hooks() -> Line:
    what = "libraries are seeded as they are imported"
    if settings.current.mode == "off":
        return what, NO, "TF_REPRO=off"
    if not start.is_armed():
        return (
            what,
            NO,
            ("a sitecustomize of the user's hides ours, and this environment has no tf_repro.pth"),
        )
    found = [f"{name} {version}" for name in LIBRARIES if (version := _version(name))]
    return what, YES, ", ".join(found) or "none of them is installed here"


def _version(distribution: str) -> str:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _kernels() -> Line:
    name = "TF_DETERMINISTIC_OPS"
    on = os.environ.get(name) in ("1", "true")
    return "deterministic kernels", YES if on else NO, f"{name}={os.environ.get(name, '')}"


def _hashes() -> Line:
    what = "hashes of str and the order of sets of them"
    return what, YES if restart.hash_seed_is_fixed() else NO, restart.why_hashes()


def _addresses() -> Line:
    what = "the order of sets of plain objects (addresses)"
    flags = restart.personality()
    if flags & restart.ADDR_NO_RANDOMIZE:
        return what, YES, "address-space randomisation is off"
    if settings.current.aslr == "on":
        return what, NO, "TF_REPRO_ASLR=on leaves randomisation on"
    if restart.set_personality(flags | restart.ADDR_NO_RANDOMIZE) == -1:
        return what, NO, f"the container refuses it: {DOCKER_OPTION}"
    restart.set_personality(flags)
    return what, NO, "the container would allow it: set TF_REPRO_ASLR=off"


def _reach() -> list[Line]:
    if settings.current.reach == "machine":
        why = "TF_REPRO_REACH=machine: this processor, with this number of CPUs"
        return [("the same bits on other machines", NO, why)]
    lines = [_processor(), *(_machine(*one) for one in environment.MACHINE.items())]
    if not cpu.lacking(cpu.flags()):
        lines += [_machine(*one) for one in environment.MACHINE_AVX2.items()]
    return lines


def _processor() -> Line:
    have = cpu.flags()
    if not have:
        return OTHER_PROCESSORS, NO, f"{platform.machine()}: nothing is known about it"
    if lacks := cpu.lacking(have):
        return OTHER_PROCESSORS, NO, f"this one has no {lacks}"
    moved = _other_tensorflow()
    if moved:
        return OTHER_PROCESSORS, PARTLY, f"{moved}: a few ops follow estimates and caches"
    return OTHER_PROCESSORS, YES, "TensorFlow estimates nothing, and all look alike to it"


def _other_tensorflow() -> str:
    """Return what is installed other than the TensorFlow whose code was looked through, or ""."""
    made_for = processor.release()
    found = _version("tensorflow") or _version("tensorflow-cpu")
    if not made_for:
        return f"{processor.TABLES} is not there"
    return "" if found in ("", made_for) else f"TensorFlow is {found}, and was {made_for}"


def _machine(name: str, wanted: str) -> Line:
    value = os.environ.get(name, "")
    reason = f"{name}={value}" if value else f"{name} is not set"
    if value == wanted:
        return "the same bits on other machines", YES, reason
    return "the same bits on other machines", NO, f"{reason}; the image's value is {wanted}"


def run(*, as_json: bool) -> int:
    """Print the report; return 0 where the hooks are in force, else 1."""
    lines = report()
    if as_json:
        keys = ("guarantee", "given", "reason")
        whole = {
            "mode": settings.current.mode,
            "seed": settings.current.seed,
            "reach": settings.current.reach,
            "python": sys.version,
            "guarantees": [dict(zip(keys, line, strict=True)) for line in lines],
            "machine": surroundings.describe(),
        }
        json.dump(whole, sys.stdout, indent=1)
        sys.stdout.write("\n")
    else:
        sys.stdout.write(_text(lines))
    return 0 if lines[0][1] == YES else 1


def rendered(lines: list[Line]) -> list[str]:
    """Return the lines of a report for people, in columns."""
    wide = max(len(what) for what, _, _ in lines)
    return [f"{given:6} {what:{wide}}  {reason}" for what, given, reason in lines]


def _text(lines: list[Line]) -> str:
    current = settings.current
    return "\n".join(
        [
            f"tf-repro: mode {current.mode}, seed {current.seed}, reach {current.reach}, Python "
            f"{platform.python_version()}",
            "",
            *rendered(lines),
            "",
            "Not covered:",
            *(f"       {what}: {why}" for what, why in NOT_COVERED),
            "",
        ]
    )
