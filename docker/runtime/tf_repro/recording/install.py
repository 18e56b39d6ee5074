"""Where the recorder takes hold: of the libraries that train, and of who seeds what himself."""

import functools
import os
import sysconfig
from collections.abc import Callable
from typing import Any

from tf_repro import caller, environment, hooks, messages, patch, streams
from tf_repro.recording.format import Kind

# Where jupyter, papermill and their like are started, which ask for themselves.
SCRIPTS = sysconfig.get_path("scripts") + os.sep
PLACES = 20  # lines of a program that are remembered for one thing


def install() -> None:
    """Follow the libraries that train, as they are imported."""
    from tf_repro.recording import (  # noqa: PLC0415  # under verify alone
        generators,
        keras,
        notebook_cell,
        tensorflow,
        writer,
    )

    def note_own_seed(library: str, value: object) -> None:
        place = caller.shown(*caller.place())
        writer.write(Kind.OWN_SEED, library=library, seed=repr(value), place=place)

    streams.state.own_seed_observer = note_own_seed
    _follow_entropy()
    tables = [modules.ON_IMPORT for modules in (keras, tensorflow, generators, notebook_cell)]
    if environment.BISECT in os.environ:
        from tf_repro.recording.operations import (  # noqa: PLC0415  # under --bisect alone
            hooks as of_operations,
        )

        tables.append(of_operations.ON_IMPORT)
    for name, hook in [pair for table in tables for pair in table.items()]:
        hooks.on_import(name, functools.partial(_call, hook))


def _follow_entropy() -> None:
    """Take down the user's lines that ask the system for entropy, once each."""
    known: set[str] = set()

    @patch.around(os, "urandom")
    def urandom(original: Callable[[int], bytes], size: int, /) -> bytes:
        file, line = caller.place()
        theirs = caller.is_library(file) or file.startswith(SCRIPTS) or caller.is_importing()
        if not theirs and len(known) < PLACES:
            place = caller.shown(file, line)
            if place not in known:
                from tf_repro.recording import writer  # noqa: PLC0415  # under verify alone

                known.add(place)
                writer.write(Kind.ENTROPY, place=place)
        return original(size)


def _call(hook: Any, module: Any) -> None:
    try:
        hook(module)
    except Exception as error:  # noqa: BLE001  # a release that we do not know, perhaps
        hooks.failed(module, error)
        messages.warn(f"{module.__name__} is not recorded: {type(error).__name__}: {error}")
