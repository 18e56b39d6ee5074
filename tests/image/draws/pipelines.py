"""Pairs of draws in tf.data."""

import random
import tempfile

import numpy as np
import tensorflow as tf
from pairs import N, both_epochs, halves, pair, series, uniform

layers = tf.keras.layers


def of(name: str) -> tf.data.Dataset:
    """Return a dataset, mapped by a function of a name of its own."""

    def function(_: object) -> object:
        return tf.random.uniform(())

    function.__name__ = name
    return tf.data.Dataset.range(N).map(function)


@pair
def training_and_validation_pipelines():
    return series(of("augment")), series(of("augment"))


@pair
def pipelines_of_two_functions():
    return series(of("augment")), series(of("distort"))


@pair
def two_epochs():
    return both_epochs(of("augment"))


@pair
def two_parallel_epochs():
    return both_epochs(tf.data.Dataset.range(N).map(uniform, num_parallel_calls=8).prefetch(4))


@pair
def two_repetitions():
    return halves(of("augment").repeat(2))


@pair
def two_repetitions_before_the_map():
    return halves(tf.data.Dataset.range(N).repeat(2).map(uniform))


@pair
def two_iterators_at_once():
    dataset = of("augment")
    pairs = [tuple(map(float, both)) for both in zip(dataset, dataset)]
    return [one for one, _ in pairs], [two for _, two in pairs]


@pair
def two_maps_of_a_pipeline():
    dataset = tf.data.Dataset.range(N).map(uniform).map(lambda x: (x, tf.random.uniform(())))
    return tuple(zip(*[tuple(map(float, both)) for both in dataset]))


@pair
def image_augmentation_of_two_epochs():
    def augment(_):
        image = tf.image.random_brightness(tf.zeros([4, 4, 3]), 0.5)
        return tf.image.random_flip_left_right(image)

    return both_epochs(tf.data.Dataset.range(N).map(augment, num_parallel_calls=tf.data.AUTOTUNE))


@pair
def batches_of_two_epochs():
    dataset = tf.data.Dataset.range(N).batch(8).map(lambda b: tf.random.uniform(tf.shape(b)))
    return series(dataset.unbatch()), series(dataset.unbatch())


@pair
def elements_of_nested_datasets():
    dataset = tf.data.Dataset.range(2).flat_map(lambda _: tf.data.Dataset.range(N).map(uniform))
    return halves(dataset)


@pair
def epochs_of_nested_datasets():
    def nested(_):
        return tf.data.Dataset.range(8).map(uniform)

    return both_epochs(tf.data.Dataset.range(N // 8).interleave(nested, num_parallel_calls=2))


@pair
def filters_of_two_epochs():
    dataset = tf.data.Dataset.range(8 * N).filter(lambda _: tf.random.uniform(()) < 0.3)
    kept = [np.isin(np.arange(8 * N), series(dataset)) for _ in range(2)]
    return tuple(kept)


@pair
def generators_in_two_epochs():
    generator = tf.random.get_global_generator()
    return both_epochs(
        tf.data.Dataset.range(N).map(lambda _: generator.normal(()), num_parallel_calls=4)
    )


@pair
def a_loop_in_a_map():
    def loop(_):
        return tf.map_fn(lambda _: tf.random.uniform(()), tf.zeros([2]))

    return np.array(list(tf.data.Dataset.range(N).map(loop).as_numpy_iterator())).T


@pair
def a_function_called_in_two_maps():
    function = tf.function(lambda: tf.random.uniform(()))
    function()
    one, two = (tf.data.Dataset.range(N).map(lambda _: function()) for _ in range(2))
    return series(one), series(two)


@pair
def a_function_called_twice_in_a_map():
    inner = tf.function(lambda: tf.random.uniform(()))
    dataset = tf.data.Dataset.range(N).map(lambda _: tf.stack([inner(), inner()]))
    return np.array(list(dataset.as_numpy_iterator())).T


@pair
def shuffles_of_two_epochs():
    return both_epochs(tf.data.Dataset.range(N).shuffle(N))


@pair
def shuffles_of_two_pipelines():
    one, two = (tf.data.Dataset.range(N).shuffle(N) for _ in range(2))
    return series(one), series(two)


@pair
def shards_of_a_dataset():
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    dataset = tf.data.Dataset.range(2 * N).map(uniform).batch(2)
    drawn = [
        [float(each[0]) for each in strategy.experimental_local_results(batch)]
        for batch in strategy.experimental_distribute_dataset(dataset)
    ]
    return tuple(zip(*drawn))


@pair
def an_augmentation_layer_in_two_epochs():
    layer = layers.GaussianNoise(1.0)
    layer(tf.zeros([1]), training=True)
    return both_epochs(tf.data.Dataset.range(N).map(lambda _: layer(tf.zeros([1]), training=True)))


@pair
def distorted_boxes_in_two_epochs():
    box = tf.constant([[[0.1, 0.1, 0.9, 0.9]]])

    def distorted(_):
        return tf.image.sample_distorted_bounding_box([4000, 4000, 3], box)[2][0, 0, 0]

    return both_epochs(tf.data.Dataset.range(N).map(distorted, num_parallel_calls=4))


def noise(number):
    return np.float32(np.random.rand() + random.random())


SEEN = []


def remembered(number):
    SEEN.append(number)
    return np.float32(np.random.rand())


def in_python(function, op=tf.numpy_function):
    """Return a dataset that is mapped by a Python function, four elements at a time."""
    return tf.data.Dataset.range(N).map(lambda n: op(function, [n], tf.float32), 4)


@pair
def python_functions_in_two_epochs():
    return both_epochs(in_python(noise))


@pair
def python_functions_of_two_pipelines():
    one, two = (in_python(noise, tf.py_function) for _ in range(2))
    return series(one), series(two)


@pair
def two_python_functions_of_a_map():
    def both(number):
        return tf.stack([tf.numpy_function(noise, [number], tf.float32) for _ in range(2)])

    return np.array(list(tf.data.Dataset.range(N).map(both).as_numpy_iterator())).T


@pair
def python_functions_that_remember_in_two_epochs():
    return both_epochs(in_python(remembered))


@pair
def saved_twice():
    dataset = of("saved")
    with tempfile.TemporaryDirectory() as folder:
        for name in ("one", "two"):
            dataset.save(f"{folder}/{name}")
        return tuple(series(tf.data.Dataset.load(f"{folder}/{name}")) for name in ("one", "two"))


@pair
def candidates_of_two_epochs():
    def candidates(number):
        sampler = tf.random.log_uniform_candidate_sampler
        return sampler([[number]], 1, 5, unique=True, range_max=10**9)[0]

    return both_epochs(tf.data.Dataset.range(N).map(candidates, num_parallel_calls=4))


@pair
def pooling_of_two_epochs():
    # The largest of a row's numbers tells where its region ends.
    rows = tf.reshape(tf.range(5 * N / 2), [1, -1, 1, 1])

    def ends(number):
        image = rows + 0 * tf.cast(number, tf.float32)
        return tf.nn.fractional_max_pool(image, [1.0, 2.45, 1.0, 1.0])[0][0, :, 0, 0]

    dataset = tf.data.Dataset.range(2).map(ends, num_parallel_calls=4)
    epochs = [list(dataset.as_numpy_iterator()) for _ in range(2)]
    return tuple(np.concatenate([np.diff(each) for each in epoch]) for epoch in epochs)
