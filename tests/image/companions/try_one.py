"""Install one package in the image and say what works then: usage: try_one.py PACKAGE MODULE UV.

Runs in a fresh container, in a folder with the example of the digits. PACKAGE "" installs nothing:
what it says then is what the others are held against. UV is uv's program, from outside of the
image, so that nothing but the package is added to it. The report goes to report.json.
"""

import importlib.metadata
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

# TensorFlow's lines at level 0 to 2 begin with the time.
QUIET = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
# The certificate of the machine outside is for pip alone: what is tried afterwards is the image.
PIP = {**os.environ, **json.loads(os.environ["FOR_PIP"])}

# pip may try one old version after the other for hours.
MINUTES = 5

Done = tuple[int, str, str]


def run(argv: Sequence[str], env: Mapping[str, str] = QUIET) -> Done:
    """Return (exit status, stdout, stderr); a status of 124 says that time was up."""
    with subprocess.Popen(
        argv,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,
    ) as program:
        try:
            out, err = program.communicate(timeout=60 * MINUTES)
        except subprocess.TimeoutExpired:
            os.killpg(program.pid, signal.SIGKILL)
            return 124, "", f"no answer in {MINUTES} minutes"
    return program.returncode, out, err


def main(package: str, module: str, uv: str) -> None:
    """Write report.json: what each step said, and the version that pip installed."""
    report: dict[str, Done | str] = {}
    installed = True
    if package:
        pip = [sys.executable, "-m", "pip", "install", "--no-input", "--no-cache-dir"]
        report["pip"] = run([*pip, "--progress-bar=off", package], PIP)
        installed = report["pip"][0] == 0
    if installed:
        if package:
            report["version"] = importlib.metadata.version(package)
            # Before TensorFlow, so that whatever both load is loaded by the package.
            own = f"import {module}, tensorflow; print(tensorflow.__version__)"
            report["own import"] = run([sys.executable, "-c", own])
        report["pip check"] = run([sys.executable, "-m", "pip", "check"])
        report["uv pip check"] = run([uv, "pip", "check", "--python", sys.executable])
        report["import"] = run([sys.executable, "-c", "import tensorflow, keras"])
        report["digits"] = run([sys.executable, "train.py"])
        report["weights"] = run(["sha256sum", "final.weights.h5"])
    Path("report.json").write_text(json.dumps(report))


if __name__ == "__main__":
    main(*sys.argv[1:])
