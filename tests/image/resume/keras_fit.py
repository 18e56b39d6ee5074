"""A fit that backs up; KILL=<step> ends it there. WAY chooses how it saves, and DATA what from.

REPLICAS=2 has it train on two.
"""

import hashlib
import os
import pathlib
import sys

import numpy as np
import tensorflow as tf

folder, freq = os.environ.get("FOLDER", "/tmp/backup"), os.environ.get("FREQ", "epoch")
replicas = int(os.environ.get("REPLICAS", "1"))
strategy = tf.distribute.get_strategy()
if replicas > 1:
    tf.config.set_logical_device_configuration(
        tf.config.list_physical_devices("CPU")[0],
        [tf.config.LogicalDeviceConfiguration()] * replicas,
    )
    strategy = tf.distribute.MirroredStrategy([f"CPU:{number}" for number in range(replicas)])
x = np.random.default_rng(1).normal(size=(160, 12)).astype("float32")
y = (x.sum(1) > 0).astype("int32")


def augmented(a, b):
    return a + tf.random.normal(tf.shape(a), stddev=0.1), b


def python(a, b):
    def noisy(values):
        return values + np.random.normal(size=values.shape).astype("float32")

    noisy_a = tf.numpy_function(noisy, [a], tf.float32)
    noisy_a.set_shape(a.shape)
    return noisy_a, b


def generator():
    rng = np.random.RandomState(3)
    for index in rng.permutation(160):
        yield x[index] + np.random.normal(size=12), y[index]


made = tf.data.Dataset.from_tensor_slices((x, y))
kinds = {
    "shuffle": lambda: {"x": made.shuffle(160).batch(16)},
    "augment": lambda: {"x": made.shuffle(160).map(augmented, num_parallel_calls=2).batch(16)},
    "repeat": lambda: {
        "x": made.shuffle(160).repeat().batch(16).map(augmented),
        "steps_per_epoch": 7,
    },
    "cache": lambda: {"x": made.map(augmented).cache().shuffle(160).batch(16)},
    "python": lambda: {"x": made.shuffle(160).batch(16).map(python)},
    "generator": lambda: {
        "x": tf.data.Dataset.from_generator(
            generator, output_signature=(tf.TensorSpec((12,)), tf.TensorSpec((), tf.int32))
        )
        .shuffle(40)
        .batch(16)
        .apply(tf.data.experimental.assert_cardinality(10))
    },
    "arrays": lambda: {"x": x, "y": y, "batch_size": 16, "validation_split": 0.2},
    "validation": lambda: {
        "x": made.shuffle(160).batch(16),
        "validation_data": made.shuffle(160).take(50).batch(10),
    },
}
data = kinds[os.environ.get("DATA", "shuffle")]()
with strategy.scope():
    model = tf.keras.Sequential(
        [
            tf.keras.Input((12,)),
            tf.keras.layers.Dense(32, "relu"),
            tf.keras.layers.Dropout(0.3),
            tf.keras.layers.GaussianNoise(0.1),
            tf.keras.layers.Dense(2),
        ]
    )
    model.compile(
        "adam",
        tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        steps_per_execution=int(os.environ.get("EXECUTION", "1")),
    )


class Watch(tf.keras.callbacks.Callback):
    """Prints the metrics of each epoch, ends the program, and draws for itself."""

    def on_train_batch_end(self, batch, logs=None):
        self.steps = getattr(self, "steps", 0) + 1
        if self.steps == int(os.environ.get("KILL", "0")):
            os.kill(os.getpid(), int(os.environ.get("SIGNAL", "9")))

    def on_epoch_end(self, epoch, logs=None):
        drawn = float(np.random.default_rng().normal()) + float(np.random.normal())
        print("E", epoch, {name: float(value).hex() for name, value in logs.items()}, drawn)
        sys.stdout.flush()


watched = "val_loss" if "validation_data" in data or "validation_split" in data else "loss"
backup = tf.keras.callbacks.BackupAndRestore(
    folder, save_freq=freq if freq == "epoch" else int(freq)
)
saving = [backup]
initial = 0
if os.environ.get("WAY") == "weights":
    path = f"{folder}/e{{epoch:02d}}" + os.environ.get("ENDING", ".weights.h5")
    pathlib.Path(folder).mkdir(exist_ok=True)
    whole = path.endswith((".keras", "}.h5"))
    saving = [tf.keras.callbacks.ModelCheckpoint(path, save_weights_only=not whole)]
    names = [one.name[:3] for one in pathlib.Path(folder).iterdir() if one.name[:1] == "e"]
    if names:
        initial = int(max(names)[1:])
        latest = path.format(epoch=initial)
        if whole:
            model = tf.keras.models.load_model(latest)
        else:
            model.load_weights(latest)
history = model.fit(
    **data,
    epochs=5,
    initial_epoch=initial,
    verbose=0,
    callbacks=[
        *saving,
        tf.keras.callbacks.EarlyStopping(watched, patience=int(os.environ.get("PATIENCE", "9"))),
        tf.keras.callbacks.ReduceLROnPlateau(watched, patience=1, min_delta=0.05, min_lr=0),
        Watch(),
    ],
)
print("H", history.epoch, [value.hex() for value in map(float, history.history["loss"])])
print("D", np.random.normal(), np.random.default_rng().normal(), float(tf.random.normal(())))
print("R", hashlib.sha256(b"".join(w.tobytes() for w in model.get_weights())).hexdigest()[:16])
