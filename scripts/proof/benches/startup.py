"""What the runtime costs: the same interpreter with us and without, side by side, in the image.

Runs inside the container (`make bench-startup`). Both sides run in turn, so that a busy machine
slows both. "Without us" is a second environment of the same interpreter, with every .pth file but
ours, in which an empty sitecustomize shadows ours; it finds the same packages.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
import venv
from pathlib import Path

# Program -> (how often to run it, the limit: milliseconds more, or a ratio).
PROGRAMS: dict[str, tuple[list[str], int, str, float]] = {
    "python -c pass": (["-c", "pass"], 200, "ms", 1.5),
    "pip --version": (["-m", "pip", "--version"], 15, "ratio", 1.05),
    "import tensorflow": (["-c", "import tensorflow"], 8, "ratio", 1.01),
}
Side = tuple[str, dict[str, str]]


def without_us(folder: Path) -> Side:
    """Return an interpreter without us, and its environment."""
    venv.create(folder / "venv", symlinks=True)
    site_packages = folder / "venv" / "lib" / Path(os.__file__).parent.name / "site-packages"
    for pth in Path(sysconfig.get_path("purelib")).glob("*.pth"):
        if pth.name != "tf_repro.pth":
            shutil.copy(pth, site_packages)
    (folder / "sitecustomize.py").write_text("")
    path = os.pathsep.join([str(folder), sysconfig.get_path("purelib")])
    return str(folder / "venv" / "bin" / "python3"), {"PYTHONPATH": path}


def with_us(folder: Path) -> Side:
    """Return this interpreter, and an environment with as long a path."""
    path = os.pathsep.join([str(folder), str(folder / "none")])
    return sys.executable, {"PYTHONPATH": path}


def milliseconds(argv: list[str], side: Side) -> float:
    """Return how long a program takes, from its start to its end."""
    interpreter, environ = side
    started = time.perf_counter()
    subprocess.run(
        [interpreter, *argv],
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", **environ},
        stdout=subprocess.DEVNULL,
        check=True,
    )
    return (time.perf_counter() - started) * 1000


def compare(argv: list[str], runs: int, sides: tuple[Side, ...]) -> list[list[float]]:
    """Return the times of each side, in turn; the first run of each only warms the caches."""
    times: list[list[float]] = [[] for _ in sides]
    for run in range(runs + 1):
        for side, started in enumerate(sides):
            taken = milliseconds(argv, started)
            if run:
                times[side].append(taken)
    return times


def main() -> int:
    """Print what each program takes on both sides; return 1 if one is over its limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("programs", nargs="*", help=f"of {', '.join(PROGRAMS)}; by default all")
    chosen = parser.parse_args()
    results = []
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "a").mkdir()
        sides = without_us(Path(folder) / "a"), with_us(Path(folder) / "b")
        for name in chosen.programs or PROGRAMS:
            argv, runs, unit, limit = PROGRAMS[name]
            without, ours = compare(argv, runs, sides)
            # The minimum is what the program takes when nothing disturbs it; the median of the
            # differences says the same where the machine is never quiet.
            figures = {
                "without_ms": min(without),
                "with_ms": min(ours),
                "more_ms": min(ours) - min(without),
                "median_more_ms": statistics.median(
                    b - a for a, b in zip(without, ours, strict=True)
                ),
                "ratio": min(ours) / min(without),
            }
            over = figures["more_ms" if unit == "ms" else "ratio"] > limit
            results.append({"program": name, "runs": runs, "limit": limit, "over": over, **figures})
            if not chosen.json:
                print(
                    f"{name:18} without {figures['without_ms']:8.2f} ms, with "
                    f"{figures['with_ms']:8.2f} ms: {figures['more_ms']:+7.2f} ms (median "
                    f"{figures['median_more_ms']:+.2f}), ratio {figures['ratio']:.4f}, "
                    f"limit {limit} {unit}{' OVER' if over else ''}",
                    flush=True,
                )
    if chosen.json:
        print(json.dumps(results, indent=1))
    return int(any(result["over"] for result in results))


if __name__ == "__main__":
    sys.exit(main())
