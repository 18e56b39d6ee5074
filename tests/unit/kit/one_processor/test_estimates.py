"""What processors estimate otherwise is computed: found in code, and exact once it is laid over."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from iced_x86 import Code, Code_, Instruction, MemoryOperand, Register, Register_

from scripts.build.one_processor import answers, sites, table
from tests.unit.kit.one_processor.written import (
    CONSTANT,
    NAME,
    RET,
    Floats,
    Load,
    Written,
    at,
    create,
    needs_avx2,
    reg,
)
from tf_repro.machine import processor

FLOATS = np.array([0.1, 0.3, 0.7, 1.1, 2.3, 5.9, 1e-3, 1e7], np.float32)
RSQRT, RCP = Code.VEX_VRSQRTPS_YMM_YMMM256, Code.VEX_VRCPPS_YMM_YMMM256
Y0, Y1, Y2, Y9 = Register.YMM0, Register.YMM1, Register.YMM2, Register.YMM9
TIMES_THREE = create.create_reg_reg_mem(
    Code.VEX_VMULPS_YMM_YMM_YMMM256,
    Y1,
    Y1,
    at(Register.RIP, CONSTANT),
)
BELOW = at(Register.RSP, -64)
ADD = create.create_reg_reg_reg(Code.VEX_VADDPS_YMM_YMM_YMMM256, Y1, Y1, Y2)


def loaded(to: Register_) -> Instruction:
    return create.create_reg_mem(Code.VEX_VMOVUPS_YMM_YMMM256, to, MemoryOperand(Register.RDI))


def stored(of: Register_) -> Instruction:
    return create.create_mem_reg(Code.VEX_VMOVUPS_YMMM256_YMM, MemoryOperand(Register.RSI), of)


def of_memory(code: Code_, to: Register_, base: Register_, displ: int = 0) -> Instruction:
    return create.create_reg_mem(code, to, at(base, displ))


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


@needs_avx2
@pytest.mark.parametrize("what", FUNCTIONS)
def test_an_estimate_is_exact_once_the_table_is_laid_over(load: Load, what: str) -> None:
    code, wanted = FUNCTIONS[what]
    made, call = load(code)
    before = call(0, FLOATS)
    processor.lay_over({NAME: made}, answers.CACHES)
    assert call(0, FLOATS).tobytes() == wanted(FLOATS).astype(np.float32).tobytes()
    if what != "the function's end behind it":  # there, nothing of the estimate comes out
        assert before.tobytes() != call(0, FLOATS).tobytes()


@needs_avx2
def test_zero_infinity_and_what_is_no_number_are_as_the_processor_has_them(
    load: Load,
) -> None:
    special = np.array([0, -0.0, np.inf, np.nan, 1, 4, 0.25, 16], np.float32)
    functions = [FUNCTIONS["1/sqrt(x)"][0], FUNCTIONS["1/x over itself"][0]]
    made, call = load(*functions)
    before = [call(number, special) for number in range(2)]
    processor.lay_over({NAME: made}, answers.CACHES)
    for number, estimated in enumerate(before):
        np.testing.assert_allclose(call(number, special), estimated, rtol=2**-11)


@needs_avx2
def test_a_library_that_is_not_the_one_of_the_table_stays_as_it_is(
    load: Load,
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
