"""What most verbs have: the image that is asked for, and an engine that nobody else uses."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from scripts.engine import engine
from scripts.engine.engine import Engine
from scripts.places import exclusive

ImageTag = Annotated[str, typer.Option("--image", help="A tag of images/matrix.toml, or all.")]


@contextmanager
def at_work() -> Iterator[Engine]:
    """Hold the data root, which is one verb's at a time, and give an engine that answers."""
    with exclusive(), engine.connected() as host:
        yield host
