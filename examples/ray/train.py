"""Train on two workers of a local Ray cluster. An ordinary script: it seeds nothing."""

import hashlib
import json
import tempfile
from pathlib import Path

import numpy as np
import ray
import tensorflow as tf
from ray import train
from ray.train import RunConfig, ScalingConfig
from ray.train.tensorflow import TensorflowTrainer

WORKERS = 2


def digest(model: tf.keras.Model) -> str:
    """Return a digest of a model's weights."""
    return hashlib.sha256(b"".join(one.tobytes() for one in model.get_weights())).hexdigest()


def work(config: dict[str, str]) -> None:
    """Train, as one of the workers."""
    with tf.distribute.MultiWorkerMirroredStrategy().scope():
        model = tf.keras.Sequential(
            [
                tf.keras.layers.Dense(16, activation="relu", input_shape=(8,)),
                tf.keras.layers.Dropout(0.3),
                tf.keras.layers.Dense(1),
            ]
        )
        model.compile("adam", "mse")
    initial = digest(model)
    features = np.linspace(0, 1, 512, dtype="float32").reshape(64, 8)
    data = tf.data.Dataset.from_tensor_slices((features, features.sum(1))).shuffle(64).batch(8)
    loss = model.fit(data, epochs=2, verbose=0).history["loss"][-1]
    told = {"initial": initial, "final": digest(model), "loss": loss, "own": np.random.rand()}
    rank = train.get_context().get_world_rank()
    Path(config["folder"], f"worker-{rank}.json").write_text(json.dumps(told))


ray.init(num_cpus=WORKERS, include_dashboard=False, log_to_driver=False)
with tempfile.TemporaryDirectory() as folder:
    TensorflowTrainer(
        work,
        train_loop_config={"folder": folder},
        scaling_config=ScalingConfig(num_workers=WORKERS),
        run_config=RunConfig(storage_path=folder),
    ).fit()
    for rank in range(WORKERS):
        print(Path(folder, f"worker-{rank}.json").read_text())
