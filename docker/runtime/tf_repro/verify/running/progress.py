"""What is going on, told on stderr while runs go on."""

import os
import sys
import time

from tf_repro.messages import say
from tf_repro.verify.running.run import Ended

WIDTH = 80  # of a terminal that does not tell


class Progress:
    """What is going on, on one line of a terminal; in a log, a line for each run that ends."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.started = time.monotonic()
        self.ended = 0
        self.until_last_end = 0.0
        self.live = sys.stderr.isatty()

    def show(self, number: int, words: str) -> None:
        """Say how far run `number` is, where there is a terminal."""
        if self.live:
            self._line(f"run {number} of {self.total}: {words}{self._left()}")

    def done(self, number: int, ended: Ended) -> None:
        """Say that run `number` has ended."""
        self.ended += 1
        self.until_last_end = time.monotonic() - self.started
        if self.live:
            self._line("")
        say(f"run {number} of {self.total}: exit status {ended.exit_status}, {ended.seconds:.1f} s")

    def _left(self) -> str:
        if not self.ended:
            return ""
        whole = self.until_last_end / self.ended * self.total
        left = max(whole - (time.monotonic() - self.started), 0)
        return f", about {left:.0f} s left"

    @staticmethod
    def _line(text: str) -> None:
        columns = os.get_terminal_size(sys.stderr.fileno()).columns or WIDTH
        sys.stderr.write(f"\r\033[K{text[: columns - 1]}")
        sys.stderr.flush()
