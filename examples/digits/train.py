"""Train a small CNN on handwritten digits. An ordinary script: it seeds nothing."""

import json
from pathlib import Path

import numpy as np
import tensorflow as tf

HERE = Path(__file__).parent
EPOCHS = 5
BATCH = 32

table = np.loadtxt(HERE / "digits.csv.gz", delimiter=",", dtype=np.float32)
images, labels = table[:, :-1].reshape(-1, 8, 8, 1) / 16, table[:, -1].astype(np.int32)

# A random split, a reshuffle in every epoch, augmentation and dropout: each draws random numbers.
order = np.random.permutation(len(images))
train, held_out = order[:1440], order[1440:]
batches = (
    tf.data.Dataset.from_tensor_slices((images[train], labels[train]))
    .shuffle(len(train))
    .batch(BATCH)
    .prefetch(tf.data.AUTOTUNE)
)

model = tf.keras.Sequential(
    [
        tf.keras.layers.RandomRotation(0.05),
        tf.keras.layers.RandomTranslation(0.1, 0.1),
        tf.keras.layers.Conv2D(32, 3, padding="same", activation="relu"),
        tf.keras.layers.Conv2D(64, 3, padding="same", activation="relu"),
        tf.keras.layers.MaxPooling2D(),
        tf.keras.layers.Dropout(0.25),
        tf.keras.layers.Flatten(),
        tf.keras.layers.Dense(64, activation="relu"),
        tf.keras.layers.Dropout(0.5),
        tf.keras.layers.Dense(10),
    ]
)
model.compile(
    optimizer="adam",
    loss=tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
)
model.fit(batches, validation_data=(images[held_out], labels[held_out]), epochs=EPOCHS, verbose=2)

loss, accuracy = model.evaluate(images[held_out], labels[held_out], verbose=0)
model.save_weights("final.weights.h5")
Path("metrics.json").write_text(json.dumps({"loss": loss, "accuracy": accuracy}))
print(f"held-out loss {loss:.6f}, accuracy {accuracy:.4f}")
