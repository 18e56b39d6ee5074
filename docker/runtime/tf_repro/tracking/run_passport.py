"""The passport of the run that this process is: where it runs, and what has come out up to now.

It is one of `tf-repro verify`'s, without what only a recorder sees: steps and losses. Its digest of
the weights is the same, so that `tf-repro compare` and `verify --golden` take either.
"""

from typing import Any

from tf_repro.recording import surroundings, trained

# Of the format of passports.
VERSION = 1
# What a tracker shows beside the run: the settings that make a run this one.
SHOWN = ("mode", "seed", "reach", "image")
# What the rest of the passport is called where a tracker keeps files.
FILE = "tf-repro-passport.json"

# The logs of the last epoch of `fit`; training fills it.
metrics: "dict[str, float]" = {}


def whole() -> "dict[str, Any]":
    """Return the passport, as plain JSON."""
    environment, final_weights = surroundings.describe(), weights()
    # Asking TensorFlow starts it, and a script may configure it up to its first training.
    if final_weights:
        from tf_repro.recording import devices  # noqa: PLC0415  # it needs TensorFlow

        environment.update(devices.describe())
    return {
        "tf_repro_passport": VERSION,
        "command": environment["argv"],
        "environment": environment,
        "verified": {},
        "results": {"metrics": dict(metrics), "final_weights": final_weights},
    }


def weights() -> str:
    """Return the SHA-256 of the weights that are there now, as verify's; "" if none was trained."""
    return trained.digest(
        (model, name, array)
        for model, names, arrays in trained.weights()
        for name, array in zip(names, arrays, strict=True)
    )


def settings() -> "dict[str, str]":
    """Return what a tracker shows beside the run: name and value."""
    around = surroundings.describe()
    return {name: str(around[name]) for name in SHOWN if around[name] != ""}
