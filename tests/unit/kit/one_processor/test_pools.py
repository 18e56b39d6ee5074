"""Threads beyond the CPUs: of which pools they are, and what they wait for."""

from __future__ import annotations

import ctypes
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from iced_x86 import Code, Register

from scripts.build.one_processor import answers, pools, sites, table
from tests.unit.kit.one_processor.written import (
    NAME,
    RET,
    Load,
    Written,
    at,
    base,
    create,
    gives,
    needs_avx2,
)
from tf_repro.machine import processor

# A constructor that notes its threads and its allocator in the pool; a Schedule() that counts, and
# keeps what the function is called by; and what says how many CPUs there are.
CONSTRUCTOR = [
    create.create_reg(Code.PUSH_R64, Register.RBX),
    create.create_reg_reg(Code.MOV_R64_RM64, Register.RBX, Register.RDI),
    create.create_mem_reg(Code.MOV_RM64_R64, at(Register.RBX), Register.R8),
    create.create_reg_mem(Code.MOV_R64_RM64, Register.RAX, at(Register.RSP, 16)),
    create.create_mem_reg(Code.MOV_RM64_R64, at(Register.RBX, 8), Register.RAX),
    *(
        create.create_reg_reg(Code.XOR_R32_RM32, register, register)
        for register in (Register.EDI, Register.ECX, Register.R8D)
    ),
    create.create_reg(Code.POP_R64, Register.RBX),
    RET,
]
SCHEDULE = [
    create.create_mem_i32(Code.ADD_RM64_IMM8, at(Register.RDI, 16), 1),
    create.create_reg_mem(Code.MOV_R64_RM64, Register.RAX, at(Register.RSI, 24)),
    create.create_mem_reg(Code.MOV_RM64_R64, at(Register.RDI, 24), Register.RAX),
    *(
        create.create_reg_reg(Code.XOR_R32_RM32, register, register)
        for register in (Register.EAX, Register.ECX, Register.EDX, Register.ESI, Register.EDI)
    ),
    RET,
]


@pytest.fixture
def make_pool(load: Load, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[int]]:
    """Return a function that makes a pool: its threads, its allocator, what is scheduled, by what.

    It is given how many CPUs there are, the pool's name, and its threads.
    """

    def made(number: int, name: bytes, threads: int) -> list[int]:
        exported = {pools.CONSTRUCTOR: 0, pools.SCHEDULE: 64, pools.CPUS: 128}
        monkeypatch.setattr(Written, "exported", exported)
        given, _ = load(CONSTRUCTOR, SCHEDULE, gives(number))
        processor.lay_over({NAME: given}, answers.CACHES)
        pointer = ctypes.c_void_p
        kind = ctypes.CFUNCTYPE(None, *[pointer] * 4, ctypes.c_int, ctypes.c_bool, pointer)
        text = ctypes.create_string_buffer(name)
        string = (pointer * 2)(ctypes.addressof(text), len(name))
        pool = (ctypes.c_int64 * 4)()
        where = ctypes.addressof
        kind(base())(where(pool), None, None, where(string), threads, True, 1234)
        return list(pool)

    return made


@needs_avx2
@pytest.mark.parametrize(
    ("number", "name", "threads", "waiting"),
    [
        (2, b"numa_-1_Eigen", 8, 6),
        (6, b"numa_0_Eigen", 8, 2),
        (8, b"numa_-1_Eigen", 8, 0),
        (64, b"numa_-1_Eigen", 8, 0),
        (1, b"numa_-1_Eigen", 8, 6),
        (1, b"numa_-1_Eigen", 1, 0),
        (2, b"data_private_threadpool", 8, 0),
        (2, b"", 8, 0),
    ],
)
def test_threads_beyond_the_cpus_are_given_something_to_wait_for(
    make_pool: Callable[..., list[int]], number: int, name: bytes, threads: int, waiting: int
) -> None:
    """But for those of other pools, which may end; and two are left to work in any case."""
    assert make_pool(number, name, threads)[:3] == [threads, 1234, waiting]


def waits(thread: threading.Thread) -> None:
    """See a thread in pause(2), the system call 34; or wait for it to come there, 10 s at most.

    https://docs.kernel.org/filesystems/proc.html
    """
    call = Path(f"/proc/self/task/{thread.native_id}/syscall")
    deadline = time.monotonic() + 10
    while not call.read_text().startswith("34 "):
        assert time.monotonic() < deadline


@needs_avx2
def test_what_they_wait_for_never_comes(make_pool: Callable[..., list[int]]) -> None:
    """Nor does a signal end it."""
    *_, invoker = make_pool(2, b"numa_-1_Eigen", 8)
    wait = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(invoker)
    thread = threading.Thread(target=wait, args=(None,), daemon=True)
    handled = threading.Event()
    before = signal.signal(signal.SIGUSR1, lambda *_: handled.set())
    try:
        thread.start()
        waits(thread)
        signal.pthread_kill(thread.ident or 0, signal.SIGUSR1)
        # Python handles it between two steps of this thread, which a wait would not make.
        deadline = time.monotonic() + 10
        while not handled.is_set():
            assert time.monotonic() < deadline
            time.sleep(0.01)
        waits(thread)
    finally:
        signal.signal(signal.SIGUSR1, before)


def test_pools_of_another_kind_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Written, "exported", {pools.CONSTRUCTOR: 0})
    with pytest.raises(sites.CannotMendError, match="pools of threads"):
        table.of(Written(CONSTRUCTOR))
