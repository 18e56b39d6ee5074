"""What the tests of one processor share."""

from __future__ import annotations

import ctypes
import mmap
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from iced_x86 import Instruction

from scripts.build.one_processor import table
from tests.unit.kit.one_processor.written import NAME, Call, Floats, Load, Written


@pytest.fixture
def load(tmp_path: Path) -> Iterator[Load]:
    """Return a function that loads a library: for its table, and what calls its functions."""
    kept = []
    libc = ctypes.CDLL(None)
    libc.mmap.restype = ctypes.c_void_p
    libc.mmap.argtypes = (ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long)
    libc.munmap.argtypes = (ctypes.c_void_p, ctypes.c_size_t)

    def loaded_library(*functions: Sequence[Instruction]) -> tuple[table.Table, Call]:
        library = Written(*functions)
        path = tmp_path / NAME
        path.write_bytes(library.content)
        with path.open("rb") as file:
            protection = mmap.PROT_READ | mmap.PROT_EXEC
            base = libc.mmap(None, library.size, protection, mmap.MAP_PRIVATE, file.fileno(), 0)
        kept.append((base, library.size))

        def call(number: int, given: Floats) -> Floats:
            kind = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)
            got: Floats = np.zeros_like(given)
            kind(base + 64 * number)(given.ctypes.data, got.ctypes.data)
            return got

        return table.of(library), call

    yield loaded_library
    for base, size in kept:
        libc.munmap(base, size)
