"""Keras' fit on two replicas, several steps at a time, on an augmented pipeline; then on, reloaded.

Keras 3 fails where several steps meet two replicas, with us and without, so it takes one there.
"""

import hashlib
import os
import tempfile

import numpy as np
import tensorflow as tf

keras = tf.keras
layers = keras.layers
KERAS_3 = hasattr(keras, "ops")
tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
)
images = np.random.default_rng(1).random((64, 8, 8, 3), np.float32)
labels = np.arange(64) % 3


def augment(image: tf.Tensor, label: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Return an image that is another one in each epoch."""
    image = tf.image.random_flip_left_right(tf.image.random_brightness(image, 0.3))
    return image + tf.random.normal(tf.shape(image), stddev=0.1), label


def pipeline() -> tf.data.Dataset:
    """Return a pipeline as people write them."""
    dataset = tf.data.Dataset.from_tensor_slices((images, labels)).shuffle(64)
    return dataset.map(augment, tf.data.AUTOTUNE).batch(16).prefetch(tf.data.AUTOTUNE)


def show(name: str, model: keras.Model, history: keras.callbacks.History) -> None:
    """Print what a training has come to."""
    weights = b"".join(weight.tobytes() for weight in model.get_weights())
    print(name, history.history["loss"], hashlib.sha256(weights).hexdigest()[:16], flush=True)


def made(steps: int = 2) -> keras.Model:
    """Return a model that drops units, twice, and trains so many steps at a time."""
    model = keras.Sequential(
        [
            keras.Input([8, 8, 3]),
            layers.Flatten(),
            *(layers.Dropout(0.3), layers.Dense(16, "relu")),
            *(layers.Dropout(0.3), layers.Dense(3)),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss, steps_per_execution=steps)
    return model


with tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope():
    mirrored = made(1 if KERAS_3 else 2)
show("two replicas", mirrored, mirrored.fit(pipeline(), epochs=2, verbose=0))

alone = made()
show("one", alone, alone.fit(pipeline(), epochs=2, verbose=0))
show("again", alone, alone.fit(pipeline(), epochs=1, verbose=0))
with tempfile.TemporaryDirectory() as folder:
    alone.save(os.path.join(folder, "model.keras"))  # noqa: PTH118  # Keras takes text
    loaded = keras.models.load_model(os.path.join(folder, "model.keras"))  # noqa: PTH118
show("reloaded", loaded, loaded.fit(pipeline(), epochs=1, verbose=0))
tf.config.run_functions_eagerly(True)
eager = made()
show("eagerly", eager, eager.fit(pipeline(), epochs=1, verbose=0))
