"""What stands for TensorFlow's own kernels: the same results for the same regions, the same chances."""

import itertools

import numpy as np
import tensorflow as tf

RATIOS = [1.0, 1.44, 1.73, 1.0]
images = tf.constant(np.random.default_rng(1).random((2, 9, 11, 3)).astype("float32"))


def expected(reduce, rows, columns, overlapping):
    """Return the pooled images, region by region."""
    whole = images.numpy()
    ends = [[*range(len(bounds) - 1)] for bounds in (rows, columns)]
    pooled = np.empty((2, len(rows) - 1, len(columns) - 1, 3), "float32")
    for i, j in itertools.product(*ends):
        region = whole[
            :, rows[i] : rows[i + 1] + overlapping, columns[j] : columns[j + 1] + overlapping
        ]
        pooled[:, i, j] = reduce(region, axis=(1, 2))
    return pooled


def check_pooling(pool, reduce, pseudo_random, overlapping):
    @tf.function
    def pooled(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y, rows, columns = pool(x, RATIOS, pseudo_random=pseudo_random, overlapping=overlapping)
            loss = tf.reduce_sum(y)
        return y, rows, columns, tape.gradient(loss, x)

    by_kernel = pool(images, RATIOS, pseudo_random=pseudo_random, overlapping=overlapping)
    regions = set()
    for _ in range(8):
        y, rows, columns, gradient = (each.numpy() for each in pooled(images))
        regions.add((*rows, *columns))
        assert np.allclose(y, expected(reduce, rows, columns, overlapping), rtol=1e-6)
        assert np.isclose(gradient.sum(), y.size)
        assert y.shape == by_kernel[0].shape
        assert (rows[0], rows[-1], columns[-1]) == (0, 9, 11)
        assert {*np.diff(rows), *np.diff(columns)} <= {1, 2}
        assert rows.dtype == by_kernel[1].numpy().dtype
    assert len(regions) > 1


def check_sampler(sampler):
    def by_key(number, unique):
        one = tf.data.Dataset.range(1).map(lambda _: sampler([[3, 5]], 2, number, unique, 50))
        return [each.numpy() for each in next(iter(one))]

    ours = by_key(40000, unique=False)
    theirs = [each.numpy() for each in sampler([[3, 5]], 2, 40000, unique=False, range_max=50)]
    shares = [np.bincount(each[0], minlength=50) / 40000 for each in (ours, theirs)]
    assert np.abs(shares[0] - shares[1]).max() < 0.01
    assert np.allclose(ours[1], theirs[1])
    order = [np.unique(each[0], return_index=True)[1] for each in (ours, theirs)]
    counts = [each[2][places] for each, places in zip((ours, theirs), order)]
    assert np.allclose(*counts)
    drawn, of_true, of_drawn = by_key(20, unique=True)
    assert len({*drawn}) == 20
    assert 0 < of_true.min() <= of_true.max() < 1
    assert np.allclose(of_drawn[drawn == 3], of_true[0, 0])


pools = (tf.nn.fractional_max_pool, np.max), (tf.nn.fractional_avg_pool, np.mean)
for (pool, reduce), pseudo_random, overlapping in itertools.product(pools, *[(False, True)] * 2):
    check_pooling(pool, reduce, pseudo_random, overlapping)
for sampler in (tf.random.uniform_candidate_sampler, tf.random.log_uniform_candidate_sampler):
    check_sampler(sampler)
print("all stand for the kernels")
