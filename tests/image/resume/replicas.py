"""A loop of its own on two replicas, with a CheckpointManager; KILL=<step> ends it there."""

import hashlib
import os
import sys

import numpy as np
import tensorflow as tf

tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
)
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
x = np.random.default_rng(1).normal(size=(160, 12)).astype("float32")
y = (x.sum(1) > 0).astype("int32")


def augmented(a, b):
    return a + tf.random.normal(tf.shape(a), stddev=0.1), b


made = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(160)
batches = strategy.experimental_distribute_dataset(
    made.map(augmented, num_parallel_calls=2).batch(16)
)
with strategy.scope():
    model = tf.keras.Sequential(
        [
            tf.keras.Input((12,)),
            tf.keras.layers.Dense(16, "relu"),
            tf.keras.layers.Dropout(0.3),
            tf.keras.layers.Dense(2),
        ]
    )
    optimizer = tf.keras.optimizers.Adam()
    optimizer.build(model.trainable_variables)
    loss_of = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction="none")
    step = tf.Variable(0, dtype=tf.int64)
    checkpoint = tf.train.Checkpoint(model=model, optimizer=optimizer, step=step)
manager = tf.train.CheckpointManager(checkpoint, "/tmp/backup", max_to_keep=2)
manager.restore_or_initialize()


@tf.function
def train(batch):
    def on_one(part):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(loss_of(part[1], model(part[0], training=True))) / 16
        weights = model.trainable_variables
        optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights))
        return loss

    return strategy.reduce("SUM", strategy.run(on_one, args=(batch,)), axis=None)


for _ in range(int(step.numpy()) // 10, 5):
    for batch in batches:
        loss = float(train(batch))
        step.assign_add(1)
        now = int(step.numpy())
        print("E", now, loss.hex(), np.random.normal())
        sys.stdout.flush()
        if now == int(os.environ.get("KILL", "0")):
            os.kill(os.getpid(), 9)
        if now % 4 == 0:
            manager.save()
print("R", hashlib.sha256(b"".join(w.tobytes() for w in model.get_weights())).hexdigest()[:16])
