"""Pairs of draws in datasets that are made in functions, and in TF 1's sessions."""

import tensorflow as tf
from pairs import N, both_epochs, halves, pair, uniform

v1 = tf.compat.v1


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
