"""Trains a little under four trackers at once, and prints the passports that each was left."""

import json
import pathlib

import dvclive
import mlflow
import numpy as np
import tensorflow as tf
import wandb
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from wandb.proto import wandb_internal_pb2
from wandb.sdk.internal import datastore

PASSPORT = "tf-repro-passport.json"


def of_mlflow(run):
    client = mlflow.MlflowClient()
    tags = client.get_run(run.info.run_id).data.tags
    shown = {name: value for name, value in tags.items() if name.startswith("tf_repro.")}
    names = [one.path for one in client.list_artifacts(run.info.run_id)]
    files = [pathlib.Path(client.download_artifacts(run.info.run_id, name)) for name in names]
    return shown, [json.loads(file.read_text()) for file in files]


def of_wandb(run):
    (file,) = pathlib.Path("wandb").glob("offline-run-*/*.wandb")
    kept, shown, passports = datastore.DataStore(), dict(run.config), []
    kept.open_for_scan(str(file))
    while (data := kept.scan_data()) is not None:
        record = wandb_internal_pb2.Record.FromString(data)
        files = [pathlib.Path(one.local_path) for one in record.artifact.manifest.contents]
        passports += [json.loads(file.read_text()) for file in files]
        for update in record.summary.update:
            if update.key.startswith("tf_repro"):
                shown[update.key] = json.loads(update.value_json)
    return shown, passports


def of_tensorboard():
    events = EventAccumulator("logs/train").Reload()
    if "tf_repro/passport" not in events.Tags()["tensors"]:
        return {}, []
    texts = [one.tensor_proto.string_val[0] for one in events.Tensors("tf_repro/passport")]
    return {}, [json.loads(text) for text in texts]


def of_dvclive(folder):
    left = {path.name: json.loads(path.read_text()) for path in pathlib.Path(folder).glob("tf*")}
    passport = left.pop(PASSPORT, None)
    return left, [passport] if passport else []


x, y = np.random.rand(64, 4).astype("float32"), np.random.rand(64, 1)
model = tf.keras.Sequential([tf.keras.layers.Dense(4), tf.keras.layers.Dense(1)])
model.compile("adam", "mse")
of_wandb_run = wandb.init(project="test", mode="offline")
with mlflow.start_run() as of_mlflow_run, dvclive.Live(save_dvc_exp=False) as live:
    model.fit(x, y, epochs=2, verbose=0, callbacks=[tf.keras.callbacks.TensorBoard("logs")])
    live.log_metric("loss", 1.0)
of_wandb_run.finish()
found = {
    "mlflow": of_mlflow(of_mlflow_run),
    "wandb": of_wandb(of_wandb_run),
    "tensorboard": of_tensorboard(),
    "dvclive": of_dvclive(live.dir),
}
print(json.dumps(found))
