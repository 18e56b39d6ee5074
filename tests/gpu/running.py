"""Runs the programs of the proof in fresh containers; on a GPU or not is the caller's choice."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.image.conftest import RunInImage

FOLDER = Path(__file__).parent / "programs"
PROGRAMS = (
    "cnn",
    "transformer",
    "lstm",
    "embeddings",
    "mixed_precision",
    "jit_compile",
    "mirrored",
)
OPS_THAT_RAISE = "ops_that_raise"
# What two runs have in common when they are the same training, bit by bit.
RESULT = ("weights", "losses")


def outcome(
    run: RunInImage,
    program: str,
    *,
    mode: str | None = None,
    scale: int = 1,
    settings: Mapping[str, object] | None = None,
) -> dict[str, Any]:
    """Run a program; return what it printed.

    Args:
        run: runs something in a fresh container.
        program: one of PROGRAMS, or OPS_THAT_RAISE.
        mode: TF_REPRO, or None for what a user gets who sets nothing.
        scale: how much larger the program is to be than on a CPU.
        settings: more for the container, as the GPUs that it gets.
    """
    env = {"TF_CPP_MIN_LOG_LEVEL": "2", **({"TF_REPRO": mode} if mode else {})}
    inputs = (FOLDER / f"{program}.py", FOLDER / "proof.py")
    argv = ["python", f"{program}.py", str(scale)]
    done = run(argv, env=env, inputs=inputs, settings=settings)
    assert done.exit_code == 0, done.stderr[-3000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def result(found: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return what has to be equal."""
    return tuple(found[name] for name in RESULT)
