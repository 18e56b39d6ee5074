"""A loop of the script's own with tf.train.CheckpointManager; KILL=<step> ends it there.

TERM_AT=<step> asks it there to end, upon which it saves at once.
"""

import hashlib
import os
import random
import signal
import sys

import numpy as np
import tensorflow as tf

folder, every = os.environ.get("FOLDER", "/tmp/backup"), int(os.environ.get("EVERY", "7"))
kind = os.environ.get("DATA", "repeat")
steps, stopping = int(os.environ.get("STEPS", "50")), []
signal.signal(signal.SIGTERM, lambda *_: stopping.append(True))
x = np.random.default_rng(1).normal(size=(160, 12)).astype("float32")
y = (x.sum(1) > 0).astype("int32")
ds = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(160)
ds = ds.map(lambda a, b: (a + tf.random.normal((12,), stddev=0.1), b), num_parallel_calls=2)
ds = ds.repeat().batch(16) if kind in {"repeat", "iterator"} else ds.batch(16)
model = tf.keras.Sequential(
    [tf.keras.Input((12,)), tf.keras.layers.Dense(32, "relu"), tf.keras.layers.Dense(2)]
)
optimizer = tf.keras.optimizers.Adam()
own = np.random.default_rng()  # a stream of its own
loss_of = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
step = tf.Variable(0, dtype=tf.int64)
epoch = tf.Variable(0, dtype=tf.int64)
tracked = {"model": model, "optimizer": optimizer, "step": step, "epoch": epoch}
if kind == "iterator":
    iterator = tracked["iterator"] = iter(ds)
manager = tf.train.CheckpointManager(tf.train.Checkpoint(**tracked), folder, max_to_keep=2)
manager.restore_or_initialize()
if "HALT" in os.environ:  # before a state takes its place, or right after it
    replace, left = os.replace, [int(os.environ["HALT"])]

    def halting(*names):
        for at in (lambda: None, lambda: replace(*names)):
            at()
            left[0] -= 1
            if not left[0]:
                os.kill(os.getpid(), 9)

    os.replace = halting
later = random.Random()
split = np.random.permutation(4)  # between the restoration and the loop: the same as at first
print("S", split)
augment = tf.random.Generator.from_non_deterministic_state()


@tf.function
def train(a, b, noise):
    with tf.GradientTape() as tape:
        h = tf.nn.dropout(a, 0.2) + noise + augment.normal((12,), stddev=0.01)
        loss = loss_of(b, model(h, training=True))
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables))
    return loss


def one(a, b):
    noise = np.float32(own.normal(scale=0.1) + 0.1 * np.random.normal() + 0.1 * later.random())
    noise += np.float32(0.01 * np.random.default_rng().normal()) + 0.01 * tf.random.normal(())
    loss = train(a, b, noise)
    number = int(step.assign_add(1))
    print("E", number, float(loss).hex())
    sys.stdout.flush()
    if number == int(os.environ.get("KILL", "0")):
        os.kill(os.getpid(), signal.SIGKILL)
    if number == int(os.environ.get("TERM_AT", "0")):
        os.kill(os.getpid(), signal.SIGTERM)
    return number


if kind == "epochs":
    for _ in range(int(step) // 10, 5):
        for a, b in ds:
            if one(a, b) % every == 0:
                manager.save()
elif kind == "counted":
    for _ in range(int(epoch), 5):
        for a, b in ds:
            if one(a, b) % every == 0:
                manager.save()
        epoch.assign_add(1)
elif kind == "ends":
    for _ in range(int(step) // 10, 5):
        rng = np.random.default_rng()
        for a, b in ds:
            one(a, b + 0 * int(rng.integers(2)))
        manager.save()
elif kind == "iterator":
    while int(step) < 50:
        a, b = next(iterator)
        if one(a, b) % every == 0:
            manager.save()
else:
    taking = iter(ds)
    for _ in range(int(step), steps):
        a, b = next(taking)
        if one(a, b) % every == 0 or stopping:
            manager.save()
        if stopping:
            sys.exit(128 + signal.SIGTERM)
print("D", np.random.normal(), own.normal(), later.random(), np.random.default_rng().normal())
print("R", hashlib.sha256(b"".join(w.tobytes() for w in model.get_weights())).hexdigest()[:16])
