"""What happens when `random` is imported, long before there is anything to resume.

It imports nothing else: many programs import `random`, and hardly any of them train.
"""

import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

from tf_repro import patch, streams


def _supplied(kind: str, number: Callable[[], int]) -> int:
    from tf_repro.resume import objects  # noqa: PLC0415  # for those who draw a stream

    return objects.supplied(kind, number)


def _on_random(module: ModuleType) -> None:
    streams.state.numbered = _supplied

    @patch.around(module, "Random.__init__")
    def init(original: Callable[..., None], self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        if not isinstance(self, module.SystemRandom):
            from tf_repro.resume import objects  # noqa: PLC0415  # for those who make generators

            objects.on_new_random(self, sys._getframe(2).f_code.co_filename)


ON_IMPORT: dict[str, Callable[[ModuleType], None]] = {"random": _on_random}
