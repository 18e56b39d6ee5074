"""Train the digits on several workers. An ordinary script: it seeds nothing but the split.

TF_CONFIG tells each worker of the others. The loop is written by hand, as Keras 3 has no `fit` for
this strategy.
"""

import json
from pathlib import Path

import numpy as np
import tensorflow as tf

HERE = Path(__file__).parent
EPOCHS = 5
BATCH = 64  # of all workers together

strategy = tf.distribute.MultiWorkerMirroredStrategy()
table = np.loadtxt(HERE / "digits.csv.gz", delimiter=",", dtype=np.float32)
images, labels = table[:, :-1].reshape(-1, 8, 8, 1) / 16, table[:, -1].astype(np.int32)

# What the workers have to agree on has a seed; what each draws for itself has none.
order = np.random.default_rng(0).permutation(len(images))
train, held_out = order[:1440], order[1440:]


def shard(context: tf.distribute.InputContext) -> tf.data.Dataset:
    """Return the batches of one worker: its part of the images, shuffled and moved a little."""
    return (
        tf.data.Dataset.from_tensor_slices((images[train], labels[train]))
        .shard(context.num_input_pipelines, context.input_pipeline_id)
        .shuffle(len(train))
        .batch(context.get_per_replica_batch_size(BATCH), drop_remainder=True)
        .map(lambda image, label: (image + 0.05 * tf.random.normal(tf.shape(image)), label))
        .prefetch(tf.data.AUTOTUNE)
    )


batches = strategy.distribute_datasets_from_function(shard)
with strategy.scope():
    model = tf.keras.Sequential(
        [
            tf.keras.Input((8, 8, 1)),
            tf.keras.layers.Conv2D(32, 3, padding="same", activation="relu"),
            tf.keras.layers.Conv2D(64, 3, padding="same", activation="relu"),
            tf.keras.layers.MaxPooling2D(),
            tf.keras.layers.Flatten(),
            tf.keras.layers.Dense(64, activation="relu"),
            tf.keras.layers.Dropout(0.5),
            tf.keras.layers.Dense(10),
        ]
    )
    optimizer = tf.keras.optimizers.Adam()
    losses = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction="none")


def step(batch: tuple[tf.Tensor, tf.Tensor]) -> tf.Tensor:
    """Train on one worker's part of a batch; return its part of the loss."""
    image, label = batch
    with tf.GradientTape() as tape:
        loss = tf.nn.compute_average_loss(
            losses(label, model(image, training=True)), global_batch_size=BATCH
        )
    variables = model.trainable_variables
    optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables))
    return loss


@tf.function
def train_step(batch: tuple[tf.Tensor, tf.Tensor]) -> tf.Tensor:
    """Train on one batch of all workers."""
    return strategy.reduce("sum", strategy.run(step, args=(batch,)), axis=None)


for epoch in range(EPOCHS):
    for batch in batches:
        loss = train_step(batch)
    print(f"epoch {epoch + 1}: loss {float(loss):.6f}", flush=True)

logits = model(images[held_out], training=False)
loss = float(tf.reduce_mean(losses(labels[held_out], logits)))
accuracy = float(np.mean(np.argmax(logits, 1) == labels[held_out]))
model.save_weights("final.weights.h5")
Path("metrics.json").write_text(json.dumps({"loss": loss, "accuracy": accuracy}))
print(f"held-out loss {loss:.6f}, accuracy {accuracy:.4f}")
