"""What a program sees of its isolation, and its children of theirs, as a line of JSON.

Run by test_isolation.py under several flags, in the environment that isolated.sh makes: PYTHONPATH,
PYTHONBREAKPOINT and PYTHONSTARTUP lead to files that leave one in /tmp/planted when they run.
"""

import json
import multiprocessing
import os
import pdb  # put out of action
import shutil
import subprocess
import sys
import warnings
from multiprocessing import resource_tracker
from pathlib import Path

PLANTED = Path("/tmp/planted")


def seen() -> dict[str, object]:
    """Return what this interpreter was promised."""
    import importlib.util  # noqa: PLC0415  # as late as in the child

    return {
        "flags": str(sys.flags),
        "argv": sys.orig_argv[1:] if __name__ == "__main__" else sys.orig_argv[1:-1],
        "flags for children": subprocess._args_from_interpreter_flags(),
        "path": [str(one) for one in sys.path],
        "finds what PYTHONPATH holds": importlib.util.find_spec("planted") is not None,
        "environment": sorted(
            f"{name}={value}"
            for name, value in os.environ.items()
            if name.startswith(("PYTHON", "TF_REPRO"))
        ),
    }


def tell(queue: "multiprocessing.Queue[dict[str, object]]") -> None:
    """Say it from a child."""
    queue.put(seen())


def planted() -> list[str]:
    """Return which of the planted files have run so far."""
    return sorted(one.name for one in PLANTED.iterdir())


def main() -> None:
    """Print it all."""
    shutil.rmtree(PLANTED, ignore_errors=True)
    PLANTED.mkdir()
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    process = context.Process(target=tell, args=(queue,))
    process.start()
    child = queue.get()
    process.join()
    tracker = Path(f"/proc/{resource_tracker._resource_tracker._pid}/cmdline").read_text()
    pdb.set_trace = lambda **_: None
    warnings.simplefilter("ignore")  # under -I, Python says that it cannot import the hook
    breakpoint()  # which hook it calls is the question
    flags = subprocess._args_from_interpreter_flags()
    again = [sys.executable, *flags, "-i", "-q"]
    subprocess.run(again, input="", text=True, capture_output=True, check=True)
    print(
        json.dumps(
            {
                "itself": seen(),
                "child": child,
                "tracker": [word for word in tracker.split("\0") if word.startswith("-")],
                "planted": planted(),
            }
        )
    )


if __name__ == "__main__":
    main()
