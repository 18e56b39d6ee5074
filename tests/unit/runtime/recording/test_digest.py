"""Digests change with any bit and any place, and are those of the arithmetic that they promise."""

import json

import numpy as np

from tests.unit.runtime.conftest import Interpreter
from tests.unit.runtime.recording.conftest import BEGINNING, FAKES

HELP = """
from tf_repro.recording import digest
def on_device(array):
    return int(digest.on_device(tf.Tensor(array)).numpy())
"""


def answer(python: Interpreter, program: str) -> list[int]:
    ended = python("-c", BEGINNING + HELP + program, env={"TF_REPRO": "off"}, before=[FAKES])
    assert ended.returncode == 0, ended.stderr
    found: list[int] = json.loads(ended.stdout)
    return found


def key(place: int, of: int) -> int:
    """Return the key of a row or column, as an int64: odd, its halves mixed."""
    mixed = (2 * place + 1) * of % 2**64
    signed = mixed - 2**64 if mixed >= 2**63 else mixed
    return (signed ^ (signed >> 33)) | 1


def test_on_a_device_it_is_a_sum_of_words_times_odd_keys(python: Interpreter) -> None:
    """The same in Python's own integers: 2500 words, in three rows."""
    words = np.random.RandomState(1).randint(-(2**31), 2**31, 2500)
    (found,) = answer(
        python,
        "words = np.random.RandomState(1).randint(-2**31, 2**31, 2500).astype('int32')\n"
        "print([on_device(words)])",
    )
    expected = sum(
        int(word) * key(at % 1024, 0x9E3779B97F4A7C15) * key(at // 1024, 0xFF51AFD7ED558CCD)
        for at, word in enumerate(words)
    )
    assert found % 2**64 == expected % 2**64


def test_any_bit_and_any_place_counts(python: Interpreter) -> None:
    found = answer(
        python,
        "base = np.zeros(1500, 'float32')\n"
        "made = [base]\n"
        "for place in (0, 1, 1023, 1024, 1499):\n"
        "    for bit in (0, 22, 31):\n"
        "        other = base.copy()\n"
        "        other.view('uint32')[place] ^= np.uint32(1 << bit)\n"
        "        made.append(other)\n"
        "made.append(np.zeros(1500, 'float32') + np.float32(1))\n"
        "print([on_device(one) for one in made])",
    )
    assert len(set(found)) == len(found) == 17


def test_every_width_of_number_has_one(python: Interpreter) -> None:
    found = answer(
        python,
        "kinds = ('float16', 'float32', 'float64', 'int8', 'bool', 'complex64')\n"
        "print([on_device(np.array([one, 0]).astype(kind)) for kind in kinds for one in (0, 1)])",
    )
    zeros, ones = found[::2], found[1::2]
    assert set(zeros) == {0}
    assert all(ones)


def test_examples_have_one_each(python: Interpreter) -> None:
    (equal, count) = answer(
        python,
        "whole = digest.of_examples(tf.Tensor(x)).numpy()\n"
        "back = digest.of_examples(tf.Tensor(x[::-1])).numpy()\n"
        "distinct = {one.tobytes() for one in whole}\n"
        "print([int((whole == back[::-1]).all()), len(distinct)])",
    )
    assert (equal, count) == (1, 8)


def test_sparse_gradients_count_with_their_places(python: Interpreter) -> None:
    (distinct,) = answer(
        python,
        "def of(values, indices):\n"
        "    made = tf.IndexedSlices(tf.Tensor(values), tf.Tensor(indices))\n"
        "    return digest.of(made).numpy().tobytes()\n"
        "print([len({of(*one) for one in (([1.0], [0]), ([1.0], [1]), ([2.0], [0]))})])",
    )
    assert distinct == 3


def test_where_there_is_a_gpu_the_device_does_it(python: Interpreter) -> None:
    (equal,) = answer(
        python,
        "tf._DEVICES.append('GPU')\n"
        "found = digest.of(tf.Tensor(x)).numpy()\n"
        "print([int(found.view('int64')[0] == on_device(x))])",
    )
    assert equal == 1
