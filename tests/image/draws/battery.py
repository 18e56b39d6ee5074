"""Pairs of draws that an ordinary image keeps apart. Prints, for each, how alike they are.

A line is "pair <name> <correlation> <share of equal values> <digest of both>", or "failed <name>
<why>". The share counts equal values at the same place, for floats and for many-valued integers.
"""

import hashlib
import os
import sys
import tempfile
from collections.abc import Callable

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np  # TensorFlow reads the variable as it is imported
import tensorflow as tf

tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
)
keras, v1 = tf.keras, tf.compat.v1
layers = keras.layers
N = 400
PAIRS: dict[str, Callable[[], tuple[object, object]]] = {}
KERAS_3 = hasattr(keras, "KerasTensor") and hasattr(keras, "ops")


def pair(function: Callable[[], tuple[object, object]]) -> Callable[[], tuple[object, object]]:
    """Add a pair to the battery, by the name of the function that makes it."""
    PAIRS[function.__name__] = function
    return function


def uniform(*_: object) -> object:
    """Return a number."""
    return tf.random.uniform(())


def series(dataset: tf.data.Dataset) -> np.ndarray:
    """Return the elements of a dataset."""
    return np.array([np.ravel(element)[0] for element in dataset.as_numpy_iterator()])


def numbers(function: Callable[[], object], times: int = N) -> np.ndarray:
    """Return what a function gives when it is called over and over."""
    return np.array([np.ravel(function())[0] for _ in range(times)])


def of(name: str) -> tf.data.Dataset:
    """Return a dataset, mapped by a function of a name of its own."""

    def function(_: object) -> object:
        return tf.random.uniform(())

    function.__name__ = name
    return tf.data.Dataset.range(N).map(function)


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
def a_function_called_twice_in_a_map():
    inner = tf.function(lambda: tf.random.uniform(()))
    dataset = tf.data.Dataset.range(N).map(lambda _: tf.stack([inner(), inner()]))
    return np.array(list(dataset.as_numpy_iterator())).T


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
def shuffles_of_two_epochs():
    dataset = tf.data.Dataset.range(N).shuffle(N)
    return series(dataset), series(dataset)


@pair
def shuffles_of_two_pipelines():
    one, two = (tf.data.Dataset.range(N).shuffle(N) for _ in range(2))
    return series(one), series(two)


@pair
def layers_that_are_traced_apart():
    drops = [layers.Dropout(0.5), layers.Dropout(0.5)]
    calls = [tf.function(lambda x, drop=drop: drop(x, training=True)) for drop in drops]
    return tuple(call(tf.ones([4 * N])) for call in calls)


@pair
def two_layers_of_a_model():
    inputs = keras.Input([4 * N])
    outputs = [layers.Dropout(0.5)(inputs), layers.Dropout(0.5)(inputs)]
    model = keras.Model(inputs, outputs)
    return tuple(tf.function(lambda x: model(x, training=True))(tf.ones([1, 4 * N])))


@pair
def dropout_in_two_passes():
    model = keras.Sequential([keras.Input([4 * N]), layers.Dropout(0.5)])
    return tuple(model(tf.ones([1, 4 * N]), training=True) for _ in range(2))


@pair
def dropout_in_fit_and_in_monte_carlo_prediction():
    seen = []

    class Seen(layers.Layer):
        def call(self, x, training=None):
            def note(value):
                seen.append(value.numpy())
                return value

            noted = tf.py_function(note, [x], x.dtype)
            noted.set_shape(x.shape)
            return noted

    inputs = keras.Input([4 * N])
    dropped = Seen()(layers.Dropout(0.5)(inputs))
    model = keras.Model(inputs, layers.Dense(1)(dropped))
    model.compile("sgd", "mse", **({"jit_compile": False} if KERAS_3 else {}))
    ones = np.ones([1, 4 * N], "float32")
    model.fit(ones, ones[:, :1], verbose=0)
    trained = seen[-1]
    model(ones, training=True)
    return trained, seen[-1]


@pair
def two_models():
    made = [keras.Sequential([keras.Input([20]), layers.Dense(20)]) for _ in range(2)]
    return tuple(model.get_weights()[0] for model in made)


@pair
def two_initialisers():
    return tuple(keras.initializers.RandomNormal()([N]) for _ in range(2))


@pair
def two_layers_of_one_shape():
    made = keras.Sequential([keras.Input([20]), layers.Dense(20), layers.Dense(20)])
    return made.get_weights()[0], made.get_weights()[2]


@pair
def augmentation_layers():
    made = [layers.GaussianNoise(1.0) for _ in range(2)]
    return tuple(layer(tf.zeros([N]), training=True) for layer in made)


@pair
def an_augmentation_layer_in_two_epochs():
    layer = layers.GaussianNoise(1.0)
    layer(tf.zeros([1]), training=True)
    dataset = tf.data.Dataset.range(N).map(lambda _: layer(tf.zeros([1]), training=True))
    return series(dataset), series(dataset)


@pair
def two_replicas():
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])

    @tf.function
    def step():
        return strategy.run(lambda: tf.random.normal([N]))

    return strategy.experimental_local_results(step())


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


def compare(name: str, one: object, two: object) -> None:
    """Print how alike two draws are."""
    a, b = (np.ravel(np.asarray(each, dtype="float64")) for each in (one, two))
    shorter = min(len(a), len(b))
    a, b = a[:shorter], b[:shorter]
    assert shorter >= N // 2, shorter
    correlation = np.corrcoef(a, b)[0, 1]
    few = len(np.unique(a)) < N // 4  # the two values of a mask are equal half of the time
    equal = 0.0 if few else np.mean(a == b)
    digest = hashlib.sha256(a.tobytes() + b.tobytes()).hexdigest()[:16]
    print("pair", name, f"{correlation:.3f}", f"{equal:.3f}", digest, flush=True)


def main() -> None:
    """Run the pairs that are named, or all."""
    for name in sys.argv[1:] or PAIRS:
        try:
            compare(name, *PAIRS[name]())
        except Exception as error:  # noqa: BLE001  # the others are to run, too
            print("failed", name, type(error).__name__, " ".join(str(error).split())[:300])


if __name__ == "__main__":
    main()
