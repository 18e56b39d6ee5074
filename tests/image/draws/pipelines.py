"""Pairs of draws in tf.data."""

import random
import tempfile

import numpy as np
import tensorflow as tf
from pairs import N, pair, series, uniform

layers, v1 = tf.keras.layers, tf.compat.v1


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
    dataset = of("augment")
    return series(dataset), series(dataset)


@pair
def two_parallel_epochs():
    dataset = tf.data.Dataset.range(N).map(uniform, num_parallel_calls=8).prefetch(4)
    return series(dataset), series(dataset)


@pair
def two_repetitions():
    drawn = series(of("augment").repeat(2))
    return drawn[:N], drawn[N:]


@pair
def two_repetitions_before_the_map():
    drawn = series(tf.data.Dataset.range(N).repeat(2).map(uniform))
    return drawn[:N], drawn[N:]


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

    dataset = tf.data.Dataset.range(N).map(augment, num_parallel_calls=tf.data.AUTOTUNE)
    return series(dataset), series(dataset)


@pair
def batches_of_two_epochs():
    dataset = tf.data.Dataset.range(N).batch(8).map(lambda b: tf.random.uniform(tf.shape(b)))
    return series(dataset.unbatch()), series(dataset.unbatch())


@pair
def elements_of_nested_datasets():
    dataset = tf.data.Dataset.range(2).flat_map(lambda _: tf.data.Dataset.range(N).map(uniform))
    drawn = series(dataset)
    return drawn[:N], drawn[N:]


@pair
def epochs_of_nested_datasets():
    def nested(_):
        return tf.data.Dataset.range(8).map(uniform)

    dataset = tf.data.Dataset.range(N // 8).interleave(nested, num_parallel_calls=2)
    return series(dataset), series(dataset)


@pair
def filters_of_two_epochs():
    dataset = tf.data.Dataset.range(8 * N).filter(lambda _: tf.random.uniform(()) < 0.3)
    kept = [np.isin(np.arange(8 * N), series(dataset)) for _ in range(2)]
    return tuple(kept)


@pair
def generators_in_two_epochs():
    generator = tf.random.get_global_generator()
    dataset = tf.data.Dataset.range(N).map(lambda _: generator.normal(()), num_parallel_calls=4)
    return series(dataset), series(dataset)


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
    dataset = tf.data.Dataset.range(N).shuffle(N)
    return series(dataset), series(dataset)


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
    dataset = tf.data.Dataset.range(N).map(lambda _: layer(tf.zeros([1]), training=True))
    return series(dataset), series(dataset)


def both_epochs(dataset):
    return series(dataset), series(dataset)


def halves(dataset):
    drawn = series(dataset)
    return drawn[:N], drawn[N:]


@pair
def shuffles_within_an_interleave():
    return halves(tf.data.Dataset.range(2).flat_map(lambda _: tf.data.Dataset.range(N).shuffle(N)))


@pair
def shuffles_within_an_interleave_in_two_epochs():
    nested = tf.data.Dataset.range(1).interleave(lambda _: tf.data.Dataset.range(N).shuffle(N))
    return both_epochs(nested)


@pair
def shuffles_of_windows():
    windows = tf.data.Dataset.range(2 * N).window(N).flat_map(lambda window: window.shuffle(N))
    return halves(windows.map(lambda number: number % N))


@pair
def random_datasets_within_a_flat_map():
    return halves(tf.data.Dataset.range(2).flat_map(lambda _: tf.data.Dataset.random().take(N)))


@pair
def groups_by_window():
    def shuffled(_, window):
        return window.map(lambda number: (number % N, tf.random.uniform(()))).batch(N)

    groups = tf.data.Dataset.range(2 * N).group_by_window(lambda n: n // N, shuffled, N)
    return tuple(drawn for _, drawn in groups.as_numpy_iterator())


@pair
def keys_of_groups_in_two_epochs():
    def coin(_):
        return tf.random.uniform((), maxval=1000, dtype=tf.int64)

    def alone(key, window):
        return window.map(lambda _: key)

    return both_epochs(tf.data.Dataset.range(N).group_by_window(coin, alone, 1))


@pair
def scans_of_two_epochs():
    def step(state, _):
        return state, tf.random.uniform(())

    return both_epochs(tf.data.Dataset.range(N).scan(0, step))


@pair
def a_dataset_shuffled_in_two_calls():
    @tf.function
    def shuffled():
        return next(iter(tf.data.Dataset.range(N).shuffle(N).batch(N)))

    return shuffled(), shuffled()


@pair
def a_reduction_in_two_calls():
    def add(state, number):
        return tf.concat([state[1:], [tf.random.uniform(())]], 0)

    @tf.function
    def reduced():
        return tf.data.Dataset.range(N).reduce(tf.zeros([N]), add)

    return reduced(), reduced()


@pair
def epochs_of_a_dataset_of_tf_1():
    return both_epochs(v1.data.Dataset.range(N).map(uniform, num_parallel_calls=2))


def initialised_twice(dataset):
    with v1.Session() as session:
        iterator = v1.data.make_initializable_iterator(dataset().batch(N))
        batch = iterator.get_next()
        drawn = []
        for _ in range(2):
            session.run(iterator.initializer)
            drawn.append(session.run(batch))
    return tuple(drawn)


@pair
def a_map_in_a_session_initialised_twice():
    with tf.Graph().as_default():
        return initialised_twice(lambda: tf.data.Dataset.range(N).map(uniform))


@pair
def a_shuffle_in_a_session_initialised_twice():
    with tf.Graph().as_default():
        return initialised_twice(lambda: tf.data.Dataset.range(N).shuffle(N))


@pair
def one_shot_iterators():
    drawn = []
    for _ in range(2):
        with tf.Graph().as_default(), v1.Session() as session:
            dataset = tf.data.Dataset.range(N).map(uniform).batch(N)
            drawn.append(session.run(v1.data.make_one_shot_iterator(dataset).get_next()))
    return tuple(drawn)


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


@pair
def python_functions_in_two_epochs():
    dataset = tf.data.Dataset.range(N)
    return both_epochs(dataset.map(lambda n: tf.numpy_function(noise, [n], tf.float32), 4))


@pair
def python_functions_of_two_pipelines():
    dataset = tf.data.Dataset.range(N)
    one, two = (dataset.map(lambda n: tf.py_function(noise, [n], tf.float32), 4) for _ in range(2))
    return series(one), series(two)


@pair
def two_python_functions_of_a_map():
    def both(number):
        return tf.stack([tf.numpy_function(noise, [number], tf.float32) for _ in range(2)])

    return np.array(list(tf.data.Dataset.range(N).map(both).as_numpy_iterator())).T


@pair
def python_functions_that_remember_in_two_epochs():
    dataset = tf.data.Dataset.range(N)
    return both_epochs(dataset.map(lambda n: tf.numpy_function(remembered, [n], tf.float32), 4))


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
