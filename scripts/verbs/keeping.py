"""Verbs that keep the machine: the engine, and what lies in the data root."""

from __future__ import annotations

from scripts.command_line import verb
from scripts.engine import dockerd
from scripts.places import data_root, delete_data, exclusive
from scripts.ui import say
from scripts.verbs.common import at_work


@verb
def engine_start() -> None:
    """Make sure that a Docker engine answers; start a private one if none does."""
    with at_work() as host:
        say(f"a Docker engine answers at {host.host}")


@verb
def engine_stop() -> None:
    """End the private engine, if one runs."""
    stopped = dockerd.stop(dockerd.private())
    say("the private engine has ended" if stopped else "no private engine runs")


@verb
def clean() -> None:
    """End the private engine and delete what the kit keeps in its data root."""
    dockerd.stop(dockerd.private())
    with exclusive():
        delete_data()
    say(f"{data_root()} is empty of what the kit kept there")
