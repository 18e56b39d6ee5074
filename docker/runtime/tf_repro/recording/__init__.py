"""The recorder: what a training does, step by step, in digests small enough to keep.

It is there only under `tf-repro verify`, which names a folder in TF_REPRO_RECORD. Nothing is asked
of the script: Keras' `fit` and `train_on_batch` and loops written by hand are all seen where they
apply their gradients. The recorder reads tensors and never draws a random number, so that a
training gives the same bits with it and without.
"""

import functools
import os
from typing import Any

from tf_repro import caller, hooks, start, streams

FOLDER = start.RECORD
# Of the record's format; moved when a reader of the old one would misread it.
VERSION = 1
BYTES = 8  # of a digest
PLACES = 20  # lines of a program that are remembered for one thing
# Names the step that the extra pair of runs of `verify --bisect` looks into, counted from 1.
BISECT = "TF_REPRO_BISECT"


def step_file(series: str, what: str) -> str:
    """Return the file, in a run's folder, that keeps the gradients or weights of one step."""
    return f"step-{series.replace(' ', '-')}-{what}.npz"


def install() -> None:
    """Follow the libraries that train, as they are imported."""
    # Under verify alone.
    from tf_repro.recording import generators, hand_written, keras, writer  # noqa: PLC0415

    original = streams.note_own_seed

    def note_own_seed(library: str, value: object) -> None:
        original(library, value)
        place = caller.shown(*caller.place())
        writer.write("own seed", library=library, seed=repr(value), place=place)

    streams.note_own_seed = note_own_seed
    _follow_entropy()
    tables = [keras.ON_IMPORT, hand_written.ON_IMPORT, generators.ON_IMPORT]
    if BISECT in os.environ:
        from tf_repro.recording import bisecting  # noqa: PLC0415  # under --bisect alone

        tables.append(bisecting.ON_IMPORT)
    for name, hook in [pair for table in tables for pair in table.items()]:
        hooks.on_import(name, functools.partial(_call, hook))


def _follow_entropy() -> None:
    """Take down the user's lines that ask the system for entropy, once each."""
    original = os.urandom
    known: set[str] = set()

    @functools.wraps(original)
    def urandom(size: int, /) -> bytes:
        file, line = caller.place()
        if not caller.is_library(file) and not caller.is_importing() and len(known) < PLACES:
            place = caller.shown(file, line)
            if place not in known:
                from tf_repro.recording import writer  # noqa: PLC0415  # under verify alone

                known.add(place)
                writer.write("entropy", place=place)
        return original(size)

    os.urandom = urandom


def _call(hook: Any, module: Any) -> None:
    try:
        hook(module)
    except Exception as error:  # noqa: BLE001  # a release that we do not know, perhaps
        start.warn(f"{module.__name__} is not recorded: {type(error).__name__}: {error}")


def record(name: str, tensor: object) -> None:
    """Do what `tf_repro.record` promises."""
    if FOLDER in os.environ:
        from tf_repro.recording import steps  # noqa: PLC0415  # it needs TensorFlow

        steps.point(name, tensor)
