"""What the kit says to its user: one clear line for a failure, live progress for long work."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TransferSpeedColumn,
)
from rich.text import Text

console = Console(stderr=True, highlight=False, soft_wrap=True)


def say(message: str, *, style: str = "") -> None:
    """Print one line for the user, on stderr, so that stdout stays free for results."""
    console.print(Text(message, style=style))


def warn(message: str) -> None:
    """Print one line that the user should not miss."""
    say(f"warning: {message}", style="bold yellow")


@contextmanager
def stage(title: str) -> Iterator[Callable[[str], None]]:
    """Show `title` and the seconds that it takes while the body runs, and leave that line behind.

    Yields:
        A function that shows a line beside the title, for a body that knows how far it has come.
    """
    if not console.is_terminal:
        say(f"{title} ...")
    columns = (
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
        TextColumn("[dim]{task.fields[line]}"),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task(title, total=None, line="")
        yield lambda line: progress.update(task, line=escape(line[:60]))
        progress.update(task, total=1, completed=1, line="")
        elapsed = progress.tasks[0].elapsed or 0.0
    if not console.is_terminal:
        say(f"{title}: done in {elapsed:.1f} s")


@contextmanager
def download_bar(title: str, total_bytes: int) -> Iterator[Progress]:
    """Show how much of `total_bytes` has arrived.

    Yields:
        A display with one task; move it with `progress.advance(progress.task_ids[0], n_bytes)`.
    """
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        progress.add_task(title, total=total_bytes)
        yield progress
        elapsed = progress.tasks[0].elapsed or 0.0
    if not console.is_terminal:
        say(f"{title}: {total_bytes / 1e6:.1f} MB in {elapsed:.1f} s")


class Steps:
    """A live list of a build's steps: each with its name, the time it takes, the bytes it moved."""

    def __init__(self) -> None:
        self._progress = Progress(
            TextColumn("  {task.description}"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[amount]}"),
            console=console,
            disable=not console.is_terminal,
        )
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Steps:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def update(self, key: str, name: str, started: str | None, completed: str | None) -> None:
        """Note that a step began or ended; a cached one ends as it begins."""
        if not started or name.startswith("[internal]"):
            return
        if key not in self._tasks:
            title = name.splitlines()[0][:90]
            self._tasks[key] = self._progress.add_task(title, total=None, amount="")
            if not console.is_terminal:
                say(f"  {title}")
        if completed:
            self._progress.update(self._tasks[key], total=1, completed=1)

    def amount(self, key: str, current: int, total: int) -> None:
        """Note how many bytes a step has moved."""
        if key in self._tasks and total:
            text = f"{current / 1e6:.0f} / {total / 1e6:.0f} MB"
            self._progress.update(self._tasks[key], amount=text)
