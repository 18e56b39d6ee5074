"""TensorFlow on one processor: what is found in code, and what runs once it is laid over."""

from __future__ import annotations

import ctypes
import mmap
import signal
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from iced_x86 import Code, Code_, Encoder, Instruction, MemoryOperand, Register, Register_

from scripts.build.one_processor import answers, onednn, pools, sites, table
from scripts.build.one_processor.library import Library
from tf_repro.machine import cpu, processor

CONSTANT = 0x800  # where in the made-up library eight times 3.0 stand
FLOATS = np.array([0.1, 0.3, 0.7, 1.1, 2.3, 5.9, 1e-3, 1e7], np.float32)
create = Instruction
Floats = np.ndarray[Any, np.dtype[Any]]
NAME = "libmade_up.so"


class Written(Library):
    """A library of functions that a test has written, one every 64 bytes."""

    exported: Mapping[str, int] = {}
    called: Mapping[str, int] = {}

    def __init__(self, *functions: Sequence[Instruction]) -> None:
        code = bytearray(b"\xcc" * CONSTANT + struct.pack("<8f", *[3.0] * 8)).ljust(4096, b"\0")
        for number, function in enumerate(functions):
            at = 64 * number
            for instruction in function:
                encoder = Encoder(64)
                encoder.encode(instruction, at)
                piece = encoder.take_buffer()
                code[at : at + len(piece)] = piece
                at += len(piece)
        self.content = bytes(code)
        self.start, self.end, self._offset = 0, 64 * len(functions), 0
        self._starts = [64 * number for number in range(len(functions))]
        self._bytes = mmap.mmap(-1, len(code))
        self._bytes.write(self.content)

    @property
    def size(self) -> int:
        """All of its content is loaded."""
        return len(self.content)

    def initialisers(self) -> list[int]:
        """The second function, if there is one, is run when it is loaded."""
        return self._starts[1:2]

    def symbol(self, name: str) -> int | None:
        """It exports what a test says."""
        return self.exported.get(name)

    def imported(self, name: str) -> int | None:
        """It calls what a test says."""
        return self.called.get(name)


def loaded(to: Register_) -> Instruction:
    return create.create_reg_mem(Code.VEX_VMOVUPS_YMM_YMMM256, to, MemoryOperand(Register.RDI))


def stored(of: Register_) -> Instruction:
    return create.create_mem_reg(Code.VEX_VMOVUPS_YMMM256_YMM, MemoryOperand(Register.RSI), of)


RSQRT, RCP = Code.VEX_VRSQRTPS_YMM_YMMM256, Code.VEX_VRCPPS_YMM_YMMM256
Y0, Y1, Y2, Y9 = Register.YMM0, Register.YMM1, Register.YMM2, Register.YMM9
RET = create.create(Code.RETNQ)
TIMES_THREE = create.create_reg_reg_mem(
    Code.VEX_VMULPS_YMM_YMM_YMMM256,
    Y1,
    Y1,
    MemoryOperand(Register.RIP, displ=CONSTANT, displ_size=8),
)
BELOW = MemoryOperand(Register.RSP, displ=-64, displ_size=8)
ADD = create.create_reg_reg_reg(Code.VEX_VADDPS_YMM_YMM_YMMM256, Y1, Y1, Y2)


def reg(code: Code_, to: Register_, of: Register_) -> Instruction:
    return create.create_reg_reg(code, to, of)


def of_memory(code: Code_, to: Register_, base: Register_, displ: int = 0) -> Instruction:
    return create.create_reg_mem(code, to, MemoryOperand(base, displ=displ, displ_size=8))


# What a function does with eight floats -> (its code, what it gives where nothing is estimated).
FUNCTIONS: dict[str, tuple[list[Instruction], Callable[[Floats], Floats]]] = {
    "1/sqrt(x)": (
        [loaded(Y0), reg(RSQRT, Y1, Y0), stored(Y1), RET],
        lambda x: 1 / np.sqrt(x),
    ),
    "1/x over itself": ([loaded(Y0), reg(RCP, Y0, Y0), stored(Y0), RET], lambda x: 1 / x),
    "a longer form": ([loaded(Y9), reg(RCP, Y9, Y9), stored(Y9), RET], lambda x: 1 / x),
    "of memory": ([of_memory(RSQRT, Y1, Register.RDI), stored(Y1), RET], lambda x: 1 / np.sqrt(x)),
    "of the library's own memory": (
        [of_memory(RCP, Y1, Register.RIP, CONSTANT), stored(Y1), RET],
        lambda x: 1 / np.full_like(x, 3),
    ),
    "of memory below the stack's end": (
        [
            loaded(Y0),
            create.create_mem_reg(Code.VEX_VMOVUPS_YMMM256_YMM, BELOW, Y0),
            of_memory(RCP, Y1, Register.RSP, -64),
            create.create_reg_reg_mem(Code.VEX_VADDPS_YMM_YMM_YMMM256, Y1, Y1, BELOW),
            stored(Y1),
            RET,
        ],
        lambda x: 1 / x + x,
    ),
    "of four": (
        [
            loaded(Y0),
            reg(Code.VEX_VRSQRTPS_XMM_XMMM128, Register.XMM1, Register.XMM0),
            stored(Y1),
            RET,
        ],
        lambda x: np.concatenate([1 / np.sqrt(x[:4]), np.zeros(4, np.float32)]),
    ),
    "two side by side": (
        [loaded(Y0), reg(RSQRT, Y1, Y0), reg(RCP, Y2, Y0), ADD, stored(Y1), RET],
        lambda x: 1 / np.sqrt(x) + 1 / x,
    ),
    "a neighbour that names the library's memory": (
        [loaded(Y0), reg(RSQRT, Y1, Y0), TIMES_THREE, stored(Y1), RET],
        lambda x: 1 / np.sqrt(x) * np.float32(3),
    ),
    "the function's end behind it": (
        [loaded(Y0), stored(Y0), reg(RCP, Y0, Y0), RET],
        lambda x: x,
    ),
}


Call = Callable[[int, Floats], Floats]


@pytest.fixture
def load(tmp_path: Path) -> Iterator[Callable[..., tuple[table.Table, Call]]]:
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


needs_avx2 = pytest.mark.skipif(
    bool(cpu.lacking(cpu.flags())), reason="this processor has no AVX2, which the code is for"
)


@needs_avx2
@pytest.mark.parametrize("what", FUNCTIONS)
def test_an_estimate_is_exact_once_the_table_is_laid_over(
    load: Callable[..., tuple[table.Table, Call]], what: str
) -> None:
    code, wanted = FUNCTIONS[what]
    made, call = load(code)
    before = call(0, FLOATS)
    processor.lay_over({NAME: made}, answers.CACHES)
    assert call(0, FLOATS).tobytes() == wanted(FLOATS).astype(np.float32).tobytes()
    if what != "the function's end behind it":  # there, nothing of the estimate comes out
        assert before.tobytes() != call(0, FLOATS).tobytes()


@needs_avx2
def test_zero_infinity_and_what_is_no_number_are_as_the_processor_has_them(
    load: Callable[..., tuple[table.Table, Call]],
) -> None:
    special = np.array([0, -0.0, np.inf, np.nan, 1, 4, 0.25, 16], np.float32)
    functions = [FUNCTIONS["1/sqrt(x)"][0], FUNCTIONS["1/x over itself"][0]]
    made, call = load(*functions)
    before = [call(number, special) for number in range(2)]
    processor.lay_over({NAME: made}, answers.CACHES)
    for number, estimated in enumerate(before):
        np.testing.assert_allclose(call(number, special), estimated, rtol=2**-11)


CPUID = [
    create.create_reg(Code.PUSH_R64, Register.RBX),
    create.create_reg_mem(Code.MOV_R32_RM32, Register.EAX, MemoryOperand(Register.RDI)),
    create.create_reg_mem(
        Code.MOV_R32_RM32, Register.ECX, MemoryOperand(Register.RDI, displ=4, displ_size=1)
    ),
    create.create(Code.CPUID),
    *(
        create.create_mem_reg(
            Code.MOV_RM32_R32, MemoryOperand(Register.RSI, displ=4 * n, displ_size=1), of
        )
        for n, of in enumerate((Register.EAX, Register.EBX, Register.ECX, Register.EDX))
    ),
    create.create_reg(Code.POP_R64, Register.RBX),
    RET,
]


@needs_avx2
def test_cpuid_answers_as_the_rows_say_and_promises_nothing_that_is_not_there(
    load: Callable[..., tuple[table.Table, Call]],
) -> None:
    asked = [
        (0, 0),
        (1, 0),
        (4, 0),
        (4, 2),
        (4, 9),
        (7, 0),
        (7, 1),
        (0xB, 1),
        (0xD, 0),
        (0x80000001, 0),
    ]
    made, call = load(CPUID)

    def answered(leaf: int, subleaf: int) -> list[int]:
        return [int(one) for one in call(0, np.array([leaf, subleaf, 0, 0], np.uint32))]

    own = {one: answered(*one) for one in asked}
    processor.lay_over({NAME: made}, answers.CACHES)
    for leaf, subleaf in asked:
        row = next(
            row
            for row in answers.ANSWERS
            if row.leaf in (leaf, answers.ANY) and row.subleaf in (subleaf, answers.ANY)
        )
        real = own[leaf, subleaf]
        wanted = [
            a & keep | value for a, keep, value in zip(real, row.keep, row.value, strict=True)
        ]
        assert answered(leaf, subleaf) == wanted, (leaf, subleaf)
    avx2, avx512f = 1 << 5, 1 << 16
    assert answered(7, 0)[1] & (avx2 | avx512f) == avx2


@needs_avx2
def test_functions_are_answered_for(
    load: Callable[..., tuple[table.Table, Call]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As TestCPUFeature is, which has answered before, and what tells XLA that it may estimate."""
    two = [create.create_reg_i32(Code.MOV_R32_IMM32, Register.EAX, 2), RET]
    feature, types = table.FUNCTIONS
    monkeypatch.setattr(Written, "exported", {feature: 0, types: 64})
    made, _ = load(two, two)
    base = next(first for first, _, _, path in processor.loaded() if path.endswith(NAME))
    ask = ctypes.CFUNCTYPE(ctypes.c_ubyte, ctypes.c_int)(base)
    vector = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p)(base + 64)
    assert ask(19) == 2
    processor.lay_over({NAME: made}, answers.CACHES)
    assert [ask(number) for number in (0, 18, 19, 40)] == [1, 1, 0, 0]
    kept = (ctypes.c_uint64 * 4)(7, 7, 7, 7)
    assert vector(ctypes.addressof(kept)) == ctypes.addressof(kept)
    assert list(kept) == [0, 0, 0, 7]


def at(base: Register_, displ: int = 0) -> MemoryOperand:
    return MemoryOperand(base, displ=displ, displ_size=8)


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


def cpus(number: int) -> list[Instruction]:
    return [create.create_reg_u32(Code.MOV_R32_IMM32, Register.EAX, number), RET]


@pytest.fixture
def make_pool(
    load: Callable[..., tuple[table.Table, Call]], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., list[int]]:
    """Return a function that makes a pool: its threads, its allocator, what is scheduled, by what.

    It is given how many CPUs there are, the pool's name, and its threads.
    """

    def made(number: int, name: bytes, threads: int) -> list[int]:
        exported = {pools.CONSTRUCTOR: 0, pools.SCHEDULE: 64, pools.CPUS: 128}
        monkeypatch.setattr(Written, "exported", exported)
        given, _ = load(CONSTRUCTOR, SCHEDULE, cpus(number))
        processor.lay_over({NAME: given}, answers.CACHES)
        base = next(first for first, _, _, path in processor.loaded() if path.endswith(NAME))
        pointer = ctypes.c_void_p
        kind = ctypes.CFUNCTYPE(None, *[pointer] * 4, ctypes.c_int, ctypes.c_bool, pointer)
        text = ctypes.create_string_buffer(name)
        string = (pointer * 2)(ctypes.addressof(text), len(name))
        pool = (ctypes.c_int64 * 4)()
        where = ctypes.addressof
        kind(base)(where(pool), None, None, where(string), threads, True, 1234)
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


ASKS, COUNTS, MAKES, CPU = (64 * number for number in (1, 2, 3, 4))
IMPORTED = {"sched_getaffinity": ASKS, "__sched_cpucount": COUNTS, "__cxa_guard_acquire": MAKES}
GUARD = CONSTANT + 64
SIZE = 128


def call(to: int) -> Instruction:
    return create.create_branch(Code.CALL_REL32_64, to)


def number(register: Register_, what: int) -> Instruction:
    return create.create_reg_u32(Code.MOV_R32_IMM32, register, what)


# oneDNN's get_max_threads_to_use(): the lesser of the CPUs that may be used, and the cores.
THREADS = [
    create.create_reg(Code.PUSH_R64, Register.RBX),
    call(CPU),
    create.create_reg_reg(Code.MOV_R32_RM32, Register.EBX, Register.EAX),
    number(Register.ESI, SIZE),
    call(ASKS),
    create.create_reg_reg(Code.TEST_RM32_R32, Register.EAX, Register.EAX),
    create.create_branch(Code.JNE_REL8_64, 37),
    number(Register.EDI, SIZE),
    call(COUNTS),
    create.create_reg_reg(Code.CMP_R32_RM32, Register.EAX, Register.EBX),
    create.create_reg_reg(Code.CMOVLE_R32_RM32, Register.EBX, Register.EAX),
    create.create_reg_reg(Code.MOV_R32_RM32, Register.EAX, Register.EBX),
    create.create_reg(Code.POP_R64, Register.RBX),
    RET,
]
# What knows the cores: five of them.
CORES = [
    create.create_reg(Code.PUSH_R64, Register.R12),
    create.create_reg_mem(Code.LEA_R64_M, Register.R12, at(Register.RIP, GUARD)),
    create.create_branch(Code.JMP_REL8_64, CPU + 14),
    create.create_reg(Code.POP_R64, Register.R12),
    RET,
    create.create_reg_reg(Code.MOV_R64_RM64, Register.RDI, Register.R12),
    call(MAKES),
    number(Register.EAX, 5),
    create.create_reg(Code.POP_R64, Register.R12),
    RET,
]
# Another function that counts the CPUs, and takes no lesser of anything: as LLVM's.
COUNTER = [number(Register.ESI, SIZE), call(ASKS), number(Register.EDI, SIZE), call(COUNTS), RET]


@needs_avx2
def test_onednn_is_not_told_how_many_cpus_there_are(
    load: Callable[..., tuple[table.Table, Call]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It then takes as many threads as there are cores; and asks again what it has asked."""
    monkeypatch.setattr(Written, "called", IMPORTED)
    functions = (THREADS, cpus(0), cpus(2), [RET], CORES, COUNTER)
    made, _ = load(*functions)
    assert made["guards"] == [GUARD]
    base = next(first for first, _, _, path in processor.loaded() if path.endswith(NAME))
    threads = ctypes.CFUNCTYPE(ctypes.c_int)(base)
    assert threads() == 2
    (before,) = [bytes.fromhex(jump["over"])[:1] for jump in made["jumps"]]
    assert before == b"\xe8"
    processor.lay_over({NAME: {**made, "guards": []}}, answers.CACHES)
    assert threads() == 5


def test_what_was_asked_while_it_was_loaded_is_forgotten() -> None:
    memory = ctypes.create_string_buffer(b"\1" * 64)
    library = object.__new__(processor.Library)
    library.base = ctypes.addressof(memory)
    library._table = {"caches": [8], "guards": [40]}
    library.forget((1, 2, 3))
    left = b"\1" * 8 + struct.pack("<3q", 1, 2, 3) + b"\1" * 8 + b"\0" + b"\1" * 23
    assert memory.raw[:64] == left


def test_onednn_of_another_kind_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Written, "called", IMPORTED)
    without = [one for one in CORES if one.code != Code.LEA_R64_M]
    for functions in ((THREADS, [RET], [RET], [RET], without), (THREADS, *[[RET]] * 3, [RET])):
        with pytest.raises(sites.CannotMendError, match="oneDNN"):
            onednn.asked(Written(*functions))
    assert onednn.asked(Written(COUNTER)) is None


def test_a_row_never_makes_up_a_feature() -> None:
    """What stands for instructions is the processor's own or nothing: leaves 1, 7, 0x80000001."""
    for row in answers.ANSWERS:
        if row.leaf in (1, 7, 0x80000001):
            assert row.value.ecx == row.value.edx == 0
            assert row.leaf == 1 or row.value.ebx == 0


@needs_avx2
def test_a_library_that_is_not_the_one_of_the_table_stays_as_it_is(
    load: Callable[..., tuple[table.Table, Call]],
) -> None:
    made, call = load(FUNCTIONS["1/sqrt(x)"][0])
    before = call(0, FLOATS)
    for wrong in ({"over": "00" * 5}, {"at": 1 << 30}):
        one = table.Jump(**{**made["jumps"][0], **wrong})  # type: ignore[typeddict-item]
        with pytest.raises(processor.CannotLayOverError, match="not the one that the image was"):
            processor.lay_over({NAME: {**made, "jumps": [one]}}, answers.CACHES)
    with pytest.raises(processor.CannotLayOverError, match="is not loaded"):
        processor.lay_over({"libabsent.so": made}, answers.CACHES)
    assert call(0, FLOATS).tobytes() == before.tobytes()


def kept_at(address: int) -> Instruction:
    where = MemoryOperand(Register.RIP, displ=address, displ_size=8)
    return create.create_mem_reg(Code.MOV_RM64_R64, where, Register.RAX)


def test_what_was_asked_for_while_it_was_loaded_is_found() -> None:
    asking = create.create_branch(Code.CALL_REL32_64, 0)
    stores = [kept_at(CONSTANT + 8 * level) for level in range(3)]
    assert table.of(Written(CPUID, [asking, *stores, RET]))["caches"] == [CONSTANT]
    # Three that are not side by side, and another function's, are no sizes of caches.
    assert table.of(Written(CPUID, [asking, *stores[:2], stores[0], RET]))["caches"] == []
    elsewhere = create.create_branch(Code.CALL_REL32_64, 128)
    assert table.of(Written(CPUID, [elsewhere, *stores, RET], [RET]))["caches"] == []


def test_what_is_jumped_to_is_not_taken() -> None:
    """The instruction behind it is where a loop begins, so those before it make the room."""
    loop = create.create_reg_i32(Code.ADD_RM64_IMM8, Register.RDI, 1)
    code = [loaded(Y0), reg(RSQRT, Y1, Y0), loop, create.create_branch(Code.JNE_REL8_64, 8), RET]
    (site,) = sites.sites(Written(code))
    assert (site.start, site.end) == (0, 8)


def test_where_there_is_no_room_it_is_said() -> None:
    code = [reg(RSQRT, Y1, Y0), RET]
    with pytest.raises(sites.CannotMendError, match="no room for a jump"):
        list(sites.sites(Written(code)))


def test_a_form_that_nobody_knows_is_said() -> None:
    one = create.create_reg_reg_reg(
        Code.VEX_VRSQRTSS_XMM_XMM_XMMM32, Register.XMM0, Register.XMM0, Register.XMM0
    )
    with pytest.raises(sites.CannotMendError, match="vrsqrtss"):
        list(sites.sites(Written([one, RET])))
