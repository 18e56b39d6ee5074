"""TF_REPRO and its like: every good value is taken, every other one refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.runtime.conftest import Interpreter
from tf_repro import settings


@given(st.integers(0, settings.MAX_SEED), st.sampled_from(settings.MODES))
def test_reads_what_was_set(seed: int, mode: str) -> None:
    chosen = settings.read({"TF_REPRO_SEED": str(seed), "TF_REPRO": mode})
    assert (chosen.seed, chosen.mode) == (seed, mode)


def test_has_defaults_for_what_is_not_set() -> None:
    chosen = settings.read({})
    assert (chosen.seed, chosen.mode) == (42, "deterministic")


@given(st.text() | st.integers().filter(lambda n: not 0 <= n <= settings.MAX_SEED).map(str))
def test_refuses_every_other_seed(text: str) -> None:
    if text.isascii() and text.isdigit() and int(text) <= settings.MAX_SEED:
        return
    with pytest.raises(settings.SettingsError, match="TF_REPRO_SEED"):
        settings.parse_seed(text)


@pytest.mark.parametrize("text", ["", " 42", "4_2", "4.2", "-1", "٤٢", "0x2a", "9" * 5000])
def test_refuses_what_int_would_take_or_choke_on(text: str) -> None:
    with pytest.raises(settings.SettingsError, match="whole number from 0 to 4294967295"):
        settings.parse_seed(text)


@given(st.text().filter(lambda text: text not in settings.MODES))
def test_refuses_every_other_mode(text: str) -> None:
    with pytest.raises(settings.SettingsError, match="TF_REPRO="):
        settings.parse_choice("TF_REPRO", text, settings.MODES)


@pytest.mark.parametrize(
    "env",
    [
        {"TF_REPRO": "Off"},
        {"TF_REPRO": ""},
        {"TF_REPRO_SEED": "4294967296"},
        {"TF_REPRO_ASLR": "0"},
        {"TF_REPRO_REACH": "everywhere"},
        {"TF_REPRO_RESUME": "1"},
        {"TF_REPRO_TRACK": "on"},
        {"TF_REPRO_DEBUG": "yes"},
        {"TF_REPRO_DEBUG": ""},
    ],
)
def test_a_wrong_value_is_one_line_and_a_nonzero_exit(
    python: Interpreter, env: dict[str, str]
) -> None:
    run = python("-c", "print('ran')", env=env)
    assert run.returncode == 78
    assert run.stdout == ""
    assert run.stderr.count("\n") == 1
    assert run.stderr.startswith(f"tf-repro: {next(iter(env))}=")
