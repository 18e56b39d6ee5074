"""Digests of tensors: 64 bits that change if any bit of the tensor does, or its place.

On a CPU they are FarmHash fingerprints, which TensorFlow computes at memory speed:
https://www.tensorflow.org/api_docs/python/tf/raw_ops/Fingerprint
That kernel exists for CPUs alone, so where there is a GPU the digest is integer arithmetic on the
device: sums of words times odd constants, modulo 2^64. Integer sums are associative, so that the
order of the reduction does not matter, and no tensor leaves the device.
"""

from typing import Any

import tensorflow as tf

# Odd, and far from any pattern of the data: the golden ratio's bits, and those of MurmurHash3.
# https://github.com/aappleby/smhasher/blob/master/src/MurmurHash3.cpp (fmix64)
COLUMN_KEY = 0x9E3779B97F4A7C15
ROW_KEY = 0xFF51AFD7ED558CCD
COLUMNS = 1024
_TWO_64 = 1 << 64
_WORDS = {1: tf.uint8, 2: tf.uint16, 4: tf.int32, 8: tf.int64}


def of(tensor: Any) -> Any:
    """Return the digest of a tensor of any shape and type: uint8, shape (8,)."""
    tensor = _dense(tensor)
    if _has_gpu() and tensor.dtype != tf.string:
        return tf.bitcast(on_device(tensor), tf.uint8)
    rows = tf.reshape(tensor, [1, -1])
    return _fingerprint(rows)[0]


def of_examples(tensor: Any) -> Any:
    """Return a digest of each example of a batch: uint8, shape (examples, 8)."""
    tensor = _dense(tensor)
    if tensor.shape.rank == 0:
        return of(tensor)[tf.newaxis]
    return _fingerprint(tf.reshape(tensor, [tf.shape(tensor)[0], -1]))


def on_device(tensor: Any) -> Any:
    """Return the digest of a tensor in integer arithmetic: an int64 scalar.

    Word w at place p counts w * k(p) modulo 2^64, where k(p) is odd, so that no change of a single
    word can cancel; the keys of a place's row and column are independent.
    """
    flat = tf.reshape(tensor, [-1])
    words = tf.cast(_as_words(flat), tf.int64)
    missing = -tf.size(words) % COLUMNS
    table = tf.reshape(tf.pad(words, [[0, missing]]), [-1, COLUMNS])
    row_sums = tf.reduce_sum(table * _keys(COLUMNS, COLUMN_KEY), axis=1)
    rows = tf.shape(row_sums)[0]
    return tf.reduce_sum(row_sums * _keys(rows, ROW_KEY))


def _keys(count: Any, key: int) -> Any:
    """Return `count` odd keys, int64: key * (2 * place + 1) modulo 2^64, its halves swapped in."""
    places = 2 * tf.cast(tf.range(count), tf.int64) + 1
    mixed = places * _signed(key)
    mixed = tf.bitwise.bitwise_xor(mixed, tf.bitwise.right_shift(mixed, 33))
    return tf.bitwise.bitwise_or(mixed, tf.constant(1, tf.int64))


def _signed(number: int) -> Any:
    return tf.constant(number - _TWO_64 if number >= _TWO_64 // 2 else number, tf.int64)


def _as_words(flat: Any) -> Any:
    if flat.dtype == tf.bool:
        return tf.cast(flat, tf.uint8)
    return tf.bitcast(flat, _WORDS.get(flat.dtype.size, tf.uint8))


def _fingerprint(rows: Any) -> Any:
    with tf.device("CPU:0"):
        return tf.raw_ops.Fingerprint(data=rows, method="farmhash64")


def _dense(tensor: Any) -> Any:
    """Return one tensor that holds all of `tensor`: slices with their places, ragged ones flat."""
    if isinstance(tensor, tf.IndexedSlices):
        return tf.concat([of(tensor.values), of(tensor.indices)], 0)
    leaves = tf.nest.flatten(tensor, expand_composites=True)
    if len(leaves) == 1:
        return tf.convert_to_tensor(leaves[0])
    return tf.concat([of(leaf) for leaf in leaves], 0)


def _has_gpu() -> bool:
    return bool(tf.config.list_logical_devices("GPU"))
