"""A worker of a small training: usage: train.py fit|loop POLICY. Prints what came out as JSON.

SLOW=<index> makes that worker start late and wait before each batch; DIES=<index> has it fail.
"""

import hashlib
import json
import os
import random
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

HOW, POLICY = sys.argv[1:]
BATCH, EPOCHS, STEPS = 32, 2, 8
INDEX = json.loads(os.environ["TF_CONFIG"])["task"]["index"]
SLOW = os.environ.get("SLOW") == str(INDEX)

if SLOW:
    time.sleep(3)
strategy = tf.distribute.MultiWorkerMirroredStrategy()


def digest(values: Iterable[Any]) -> str:
    """Return a digest of tensors."""
    return hashlib.sha256(b"".join(np.asarray(one).tobytes() for one in values)).hexdigest()


def source() -> tf.data.Dataset:
    """Return examples, of which the first number tells which it is; in two files where it matters."""
    x = np.random.default_rng(1).normal(size=(BATCH * STEPS, 12)).astype("float32")
    if POLICY != "FILE":
        return tf.data.Dataset.from_tensor_slices(x)
    for number, part in enumerate(np.split(x, 2)):
        Path(f"part-{number}.csv").write_text("\n".join(",".join(map(str, row)) for row in part))
    lines = tf.data.Dataset.list_files("part-*.csv").interleave(tf.data.TextLineDataset)
    return lines.map(lambda line: tf.strings.to_number(tf.strings.split(line, ",")[:12]))


def batches(context: tf.distribute.InputContext | None = None) -> tf.data.Dataset:
    """Return shuffled and augmented batches: of all workers, or of one of them."""
    data = source()
    if context is not None:
        data = data.shard(context.num_input_pipelines, context.input_pipeline_id)
    data = data.shuffle(BATCH * STEPS).map(
        lambda x: (x + 0.1 * tf.random.normal([12]), tf.cast(tf.reduce_sum(x) > 0, tf.int32))
    )
    options = tf.data.Options()
    policy = "OFF" if context is not None else POLICY
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy[policy]
    size = BATCH if context is None else context.get_per_replica_batch_size(BATCH)
    return data.batch(size).with_options(options)


def distributed() -> Any:
    """Return what all workers iterate over."""
    if POLICY == "FUNCTION":
        return strategy.distribute_datasets_from_function(batches)
    return strategy.experimental_distribute_dataset(batches())


class Wait(tf.keras.callbacks.Callback):
    """Is slow where that is asked for."""

    def on_train_batch_begin(self, batch: int, logs: object = None) -> None:
        """Wait before a batch."""
        time.sleep(0.05 * SLOW)


with strategy.scope():
    model = tf.keras.Sequential(
        [
            tf.keras.Input((12,)),
            tf.keras.layers.Dense(32, "relu"),
            tf.keras.layers.Dropout(0.3),
            tf.keras.layers.Dense(2),
        ]
    )
    optimizer = tf.keras.optimizers.Adam(0.01)
    losses = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction="none")
    if HOW == "fit":
        loss = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(optimizer, loss)
initial = digest(one.numpy() for one in model.weights)
if os.environ.get("DIES") == str(INDEX):
    sys.exit("worker: no data for me")


def step(batch: tuple[tf.Tensor, tf.Tensor]) -> tf.Tensor:
    """Train on one worker's part of a batch."""
    x, y = batch
    with tf.GradientTape() as tape:
        loss = tf.nn.compute_average_loss(
            losses(y, model(x, training=True)), global_batch_size=BATCH
        )
    variables = model.trainable_variables
    optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables))
    return loss


@tf.function
def train_step(batch: tuple[tf.Tensor, tf.Tensor]) -> tf.Tensor:
    """Train on one batch of all workers."""
    return strategy.reduce("sum", strategy.run(step, args=(batch,)), axis=None)


if HOW == "fit":
    data = distributed() if POLICY == "FUNCTION" else batches()
    model.fit(data, epochs=EPOCHS, steps_per_epoch=4, verbose=0, callbacks=[Wait()])
else:
    iterator = iter(distributed())
    for _ in range(4):
        time.sleep(0.05 * SLOW)
        train_step(next(iterator))

own = {
    "random": random.random(),
    "numpy": np.random.rand(),
    "numpy.entropy": np.random.default_rng().random(),
    "tensorflow": float(tf.random.normal([])),
    "function": float(tf.function(lambda: tf.random.normal([]))()),
    "dropout": digest([tf.nn.dropout(tf.ones(64), 0.5)]),
    "shuffle": digest(tf.data.Dataset.range(64).shuffle(64)),
    "augmentation": digest(tf.data.Dataset.range(8).map(lambda _: tf.random.normal([]))),
}
final = digest(one.numpy() for one in model.weights)
print(json.dumps({"initial": initial, "final": final, "own": own}))
