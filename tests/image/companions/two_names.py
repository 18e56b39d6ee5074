"""What pip, uv and importlib.metadata say of TensorFlow's two names: usage: two_names.py WHEEL UV.

WHEEL requires both of them. A line of JSON on stdout says how each step ended, in its order.
"""

import importlib.metadata
import json
import subprocess
import sys

NAMES = ("tensorflow", "tensorflow-cpu")
SHOW = "import tensorflow as tf; print(tf.__version__)"


def run(*argv: str) -> tuple[int, str]:
    """Return (exit status, what it said)."""
    done = subprocess.run(
        argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    return done.returncode, done.stdout


def main(wheel: str, uv: str) -> None:
    """Install the wheel with pip and with uv, and take the name away that is metadata alone."""
    pip = (sys.executable, "-m", "pip")
    uv_pip = (uv, "pip")
    python = f"--python={sys.executable}"
    # One and the same by the rule for names; 2.21's own wheel writes tensorflow_cpu.
    owners = [
        owner.replace("_", "-")
        for owner in importlib.metadata.packages_distributions()["tensorflow"]
    ]
    (other,) = {*NAMES} - {*owners}
    said = {
        "owners": owners,
        "versions": {name: importlib.metadata.version(name) for name in NAMES},
        "other requires": importlib.metadata.requires(other),
        "uv pip list": json.loads(run(*uv_pip, "list", "-q", "--format=json", python)[1]),
        "steps": [
            run(*pip, "install", "--no-index", wheel),
            run(*pip, "check"),
            run(*uv_pip, "check", python),
            run(*pip, "uninstall", "--yes", "companion"),
            run(*uv_pip, "install", "--offline", python, wheel),
            run(*uv_pip, "check", python),
            run(*pip, "uninstall", "--yes", "companion", other),
            run(*pip, "check"),
            run(sys.executable, "-c", SHOW),
        ],
    }
    sys.stdout.write(json.dumps(said) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
