"""The recorder's digests against a reference in NumPy, and what they must and must not tell apart."""

import numpy as np
import tensorflow as tf

from tf_repro.recording import digest

MASK = (1 << 64) - 1


def keys(count, key):
    """Return the keys as Python integers; the shift keeps the sign, as TensorFlow's does."""
    made = []
    for place in range(count):
        mixed = (2 * place + 1) * key & MASK
        signed = mixed - (1 << 64) if mixed >> 63 else mixed
        made.append(((mixed ^ (signed >> 33)) | 1) & MASK)
    return made


def reference(array):
    """Return the digest of an array in plain integers."""
    array = np.ascontiguousarray(array)
    kind = {1: "u1", 2: "u2", 4: "i4", 8: "i8"}[array.itemsize]
    words = [int(word) for word in np.ravel(array).view(kind)]
    words += [0] * (-len(words) % digest.COLUMNS)
    columns = keys(digest.COLUMNS, digest.COLUMN_KEY)
    rows = [words[at : at + digest.COLUMNS] for at in range(0, len(words), digest.COLUMNS)]
    row_keys = keys(len(rows), digest.ROW_KEY)
    total = sum(
        row_key * sum(word * key for word, key in zip(row, columns))
        for row, row_key in zip(rows, row_keys)
    )
    return total & MASK


def on_device(array):
    return int(digest.on_device(tf.constant(array))) & MASK


def both(array):
    return on_device(array), bytes(digest.of(tf.constant(array)).numpy())


rng = np.random.default_rng(1)
for shape in [(1,), (3, 5), (1024,), (1025,), (4, 700), ()]:
    for dtype in ["float16", "float32", "float64", "int8", "int32", "uint32", "int64", "bool"]:
        array = (rng.standard_normal(shape) * 100).astype(dtype)
        assert on_device(array) == reference(array), (shape, dtype)
        assert both(array) == both(array.copy())

array = rng.standard_normal((50, 60)).astype("float32")
whole = both(array)
for number in range(0, array.size, 7):
    changed = array.copy()
    bits = changed.ravel().view("u4")
    bits[number] ^= np.uint32(1) << np.uint32(number % 32)
    assert all(a != b for a, b in zip(both(changed), whole)), number
swapped = array.copy()
swapped[[3, 9]] = swapped[[9, 3]]
assert all(a != b for a, b in zip(both(swapped), whole))
zeros = np.zeros(10, "float32")
assert all(a != b for a, b in zip(both(zeros), both(-zeros)))

inside = tf.function(lambda tensor: (digest.of(tensor), digest.on_device(tensor)))
fingerprint, summed = inside(tf.constant(array))
assert (int(summed) & MASK, bytes(fingerprint.numpy())) == whole

examples = digest.of_examples(tf.constant(array)).numpy()
assert examples.shape == (50, 8)
assert (digest.of_examples(tf.constant(swapped)).numpy()[[9, 3]] == examples[[3, 9]]).all()
for other in [
    tf.constant(["a", "bc"]),
    tf.RaggedTensor.from_row_lengths([1, 2, 3], [1, 2]),
    tf.IndexedSlices(tf.constant([[1.0]]), tf.constant([2])),
]:
    assert digest.of(other).shape == (8,)
print("digests hold")
