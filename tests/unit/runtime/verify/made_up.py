"""A record of a run that never was: two epochs of three steps."""

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np

from tf_repro.recording.format import VERSION
from tf_repro.verify.reading import records

STEPS, PER_EPOCH, VARIABLES = 6, 3, ("dense/kernel", "dense/bias")
Row = dict[str, Any]


def digests(*numbers: int) -> str:
    return base64.b64encode(b"".join(n.to_bytes(8, "little") for n in numbers)).decode()


def rows(mode: str = "deterministic") -> list[Row]:
    """Return the lines of a record, as Python values."""
    made: list[Row] = [
        {"kind": "header", "version": VERSION, "mode": mode, "cpu": "A", "cpus": 2, "gpus": []},
        {"kind": "variables", "series": "optimizer 0", "names": list(VARIABLES)},
        {"kind": "initial", "series": "optimizer 0", "weights": digests(1, 2)},
        {
            "kind": "graph",
            "series": "optimizer 0",
            "random_ops": [
                {
                    "type": "RandomUniform",
                    "name": "dropout",
                    "seeded": True,
                    "seeds": [42, 7],
                    "place": "train.py:7",
                }
            ],
        },
    ]
    for step in range(1, STEPS + 1):
        made.append(
            {
                "kind": "step",
                "series": "optimizer 0",
                "replica": 0,
                "step": step,
                "loss": 1 / step,
                "loss_bits": f"{step:08x}",
                "batch": f"{100 + step:016x}",
                "examples": f"{200 + step:016x}",
                "gradients": digests(300 + step, 400 + step),
                "weights": digests(500 + step, 600 + step),
                "random": {"random": "aa", "numpy": "bb"},
                "generators": {"the Generator of train.py:3": "cc"},
            }
        )
        if step % PER_EPOCH == 0:
            epoch = step // PER_EPOCH
            made.append({"kind": "epoch", "epoch": epoch, "logs": {"loss": 1 / step}})
    return [*made, {"kind": "end"}]


def steps_of(made: list[Row]) -> list[Row]:
    return [row for row in made if row["kind"] == "step"]


def run(
    folder: Path,
    made: list[Row] | None = None,
    *,
    exit_status: int = 0,
    weights: "np.ndarray[Any, Any] | None" = None,
    files: dict[str, bytes] | None = None,
    stdout: str = "",
) -> records.Run:
    """Write a record, and read it back."""
    folder.mkdir()
    made = rows() if made is None else list(made)
    if weights is not None:
        arrays: dict[str, Any] = {"0000": weights}
        np.savez(folder / "w.npz", **arrays)
        names = ["dense/kernel"]
        made.append({"kind": "weights", "model": "model 0", "file": "w.npz", "names": names})
    text = "".join(json.dumps(row) + "\n" for row in made)
    (folder / "1-1.jsonl").write_text(text)
    for name, content in (files or {}).items():
        path = folder / "files" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    ended = {
        "command": ["python", "train.py"],
        "exit_status": exit_status,
        "seconds": 1.0,
        "written": sorted(files or {}),
    }
    (folder / "run.json").write_text(json.dumps(ended))
    (folder / "stdout.txt").write_text(stdout)
    (folder / "stderr.txt").write_text("")
    return records.read(folder)
