"""Pairs of draws in functions, branches, loops, graphs and replicas."""

import tempfile

import numpy as np
import tensorflow as tf
from pairs import N, pair

v1 = tf.compat.v1


@pair
def two_eager_ops():
    return tf.random.normal([N]), tf.random.normal([N])


@pair
def two_functions():
    @tf.function
    def one():
        return tf.random.normal([N])

    @tf.function
    def two():
        return tf.random.normal([N])

    return one(), two()


@pair
def two_lambdas():
    one, two = (tf.function(lambda: tf.random.normal([N])) for _ in range(2))
    return one(), two()


@pair
def two_calls_of_a_function():
    function = tf.function(lambda: tf.random.normal([N]))
    return function(), function()


@pair
def two_traces_of_a_function():
    function = tf.function(lambda x: x * 0 + tf.random.normal([N]))
    return function(tf.zeros([N])), function(tf.zeros([1]))


@pair
def two_ops_of_a_function():
    return tf.function(lambda: (tf.random.normal([N]), tf.random.normal([N])))()


@pair
def two_branches():
    @tf.function
    def branch(yes):
        return tf.cond(yes, lambda: tf.random.normal([N]), lambda: tf.random.normal([N]))

    return branch(tf.constant(True)), branch(tf.constant(False))


@pair
def a_function_and_one_that_calls_it():
    inner = tf.function(lambda: tf.random.normal([N]))
    outer = tf.function(lambda: (inner(), inner()))
    return outer()


@pair
def a_function_called_eagerly_and_within_another():
    inner = tf.function(lambda: tf.random.normal([N]))
    outer = tf.function(lambda: inner() * 1)
    return outer(), inner()


@pair
def a_function_called_by_two_others():
    inner = tf.function(lambda: tf.random.normal([N]))
    one, two = (tf.function(lambda: inner() * 1) for _ in range(2))
    return one(), two()


@pair
def replicas_that_call_a_function():
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    inner = tf.function(lambda: tf.random.normal([N]))
    step = tf.function(lambda: strategy.run(inner))
    return strategy.experimental_local_results(step())


@pair
def iterations_of_a_loop():
    @tf.function
    def loop():
        return tf.map_fn(lambda _: tf.random.normal([2]), tf.zeros([N]))

    return tf.transpose(loop())


@pair
def one_iteration_and_the_next():
    drawn = tf.function(lambda: tf.map_fn(lambda _: tf.random.normal([]), tf.zeros([N + 1])))()
    return drawn[:-1], drawn[1:]


@pair
def two_loops():
    return tf.function(
        lambda: (
            tf.map_fn(lambda _: tf.random.normal([]), tf.zeros([N])),
            tf.map_fn(lambda _: tf.random.normal([]), tf.zeros([N])),
        )
    )()


@pair
def a_loop_within_a_loop():
    @tf.function
    def loop():
        return tf.map_fn(
            lambda _: tf.map_fn(lambda _: tf.random.normal([]), tf.zeros([N])), tf.zeros([2])
        )

    return loop()


@pair
def two_kinds_of_op():
    @tf.function
    def one():
        return tf.random.uniform([N])

    @tf.function
    def two():
        return tf.random.truncated_normal([N])

    return one(), two()


@pair
def two_xla_functions():
    @tf.function(jit_compile=True)
    def one():
        return tf.random.normal([N])

    @tf.function(jit_compile=True)
    def two():
        return tf.random.normal([N])

    return one(), two()


@pair
def two_calls_of_an_xla_function():
    function = tf.function(lambda: tf.random.normal([N]), jit_compile=True)
    return function(), function()


@pair
def two_graphs_of_tf_1():
    drawn = []
    for _ in range(2):
        with tf.Graph().as_default(), v1.Session() as session:
            drawn.append(session.run(v1.random_normal([N])))
    return tuple(drawn)


@pair
def two_runs_of_a_session():
    with tf.Graph().as_default(), v1.Session() as session:
        op = v1.random_normal([N])
        return session.run(op), session.run(op)


@pair
def two_replicas():
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])

    @tf.function
    def step():
        return strategy.run(lambda: tf.random.normal([N]))

    return strategy.experimental_local_results(step())


@pair
def calls_of_a_loaded_model():
    class Drawing(tf.Module):
        @tf.function(input_signature=[])
        def draw(self):
            return tf.random.normal([N])

    with tempfile.TemporaryDirectory() as folder:
        tf.saved_model.save(Drawing(), folder)
        loaded = tf.saved_model.load(folder)
    return loaded.draw(), loaded.draw()


@pair
def run_eagerly():
    tf.config.run_functions_eagerly(True)
    try:
        one, two = (tf.function(lambda: tf.random.normal([N])) for _ in range(2))
        return one(), two()
    finally:
        tf.config.run_functions_eagerly(False)


@pair
def generators():
    made = [tf.random.Generator.from_non_deterministic_state() for _ in range(2)]
    return tuple(generator.normal([N]) for generator in made)


@pair
def pooling_in_two_calls():
    @tf.function
    def pool(values):
        return tf.nn.fractional_avg_pool(values, [1.0, 2.45, 1.0, 1.0])[1]

    values = tf.zeros([1, 5 * N // 2, 4, 1])
    return tuple(np.diff(pool(values)) for _ in range(2))
