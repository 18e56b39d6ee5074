"""`make bench-…`: a program of benches/ in a fresh container, its figures as they come."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from scripts.build.build import Built
from scripts.engine import containers
from scripts.engine.engine import Engine
from scripts.errors import KitError
from scripts.processes import last_words
from scripts.ui import say

BENCHES = Path(__file__).parent / "benches"
OVER_A_LIMIT = 1


def bench(name: str, host: Engine, built: Built) -> bool:
    """Run a bench and print what it prints.

    Args:
        name: of a program in benches/, without its suffix; it exits with 1 if it is over a limit.
        host: the engine.
        built: the image.

    Returns:
        Whether every figure is within its limit.

    Raises:
        KitError: the bench itself fails.
    """
    say(f"{name}, in a fresh container of {built.name}; a figure over its limit is marked")
    out = Console(highlight=False, soft_wrap=True)
    ended = containers.run(
        host.client,
        built.name,
        ["python3", "-u", "-m", f"{BENCHES.name}.{name}"],
        inputs=[BENCHES],
        on_line=lambda line: out.print(line, markup=False),
    )
    if ended.exit_code not in {0, OVER_A_LIMIT}:
        raise KitError(f"{name}.py exited with {ended.exit_code}: {last_words(ended.stderr)}")
    return ended.exit_code == 0
