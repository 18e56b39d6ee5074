"""A training that leaves every kind of file; with CHANGE=1 each holds something of this run alone."""

import importlib.util
import json
import os
from pathlib import Path

import numpy as np
import tensorflow as tf

keras = tf.keras
change = int.from_bytes(os.urandom(3), "big") if os.environ.get("CHANGE") else 0
x, y = np.random.rand(32, 4).astype("float32"), np.random.rand(32, 1).astype("float32")
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3), keras.layers.Dense(1)])
model.compile("adam", "mse")
callbacks = [keras.callbacks.CSVLogger("log.csv")]
if importlib.util.find_spec("tensorboard"):  # a package of its own from 2.20 on
    callbacks.append(keras.callbacks.TensorBoard("logs"))
model.fit(x, y, epochs=2, verbose=0, callbacks=callbacks)
if change:
    weights = model.get_weights()
    weights[0][0, 0] += change / 2**24 + 0.01
    model.set_weights(weights)
    if len(callbacks) > 1:
        model.fit(x, y, verbose=0, callbacks=callbacks[1:])
    Path("log.csv").write_text(f"{Path('log.csv').read_text()}2,{change}\n")
model.save("model.keras")
model.save_weights("model.weights.h5")
if hasattr(model, "export"):
    model.export("exported")
else:
    tf.saved_model.save(model, "exported")
state = tf.train.Checkpoint(kernel=tf.Variable(model.get_weights()[0]))
tf.train.CheckpointManager(state, "checkpoints", max_to_keep=2).save()
np.savez("arrays.npz", a=x, b=model.get_weights()[0])
np.save("array.npy", model.get_weights()[0])
Path("report.json").write_text(json.dumps({"layers": 2, "change": change}))
