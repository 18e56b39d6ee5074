"""Trains a little under the tracker that is named, and prints the passports that it was left."""

import json
import pathlib
import sys

import numpy as np
import tensorflow as tf

PASSPORT = "tf-repro-passport.json"
tracker = sys.argv[1]
x, y = np.random.rand(64, 4).astype("float32"), np.random.rand(64, 1)
model = tf.keras.Sequential([tf.keras.layers.Dense(4), tf.keras.layers.Dense(1)])
model.compile("adam", "mse")


def fit(**more):
    model.fit(x, y, epochs=2, verbose=0, **more)


def with_mlflow():
    import mlflow

    with mlflow.start_run() as run:
        fit()
    client = mlflow.MlflowClient()
    tags = client.get_run(run.info.run_id).data.tags
    shown = {name: value for name, value in tags.items() if name.startswith("tf_repro.")}
    if [one.path for one in client.list_artifacts(run.info.run_id)]:
        path = client.download_artifacts(run.info.run_id, PASSPORT)
        return shown, [json.loads(pathlib.Path(path).read_text())]
    return shown, []


def with_wandb():
    import wandb
    from wandb.proto import wandb_internal_pb2
    from wandb.sdk.internal import datastore

    run = wandb.init(project="test", mode="offline")
    fit()
    shown = dict(run.config)
    run.finish()
    (file,) = pathlib.Path("wandb").glob("offline-run-*/*.wandb")
    kept, passports = datastore.DataStore(), []
    kept.open_for_scan(str(file))
    while (data := kept.scan_data()) is not None:
        record = wandb_internal_pb2.Record.FromString(data)
        files = [pathlib.Path(one.local_path) for one in record.artifact.manifest.contents]
        passports += [json.loads(file.read_text()) for file in files]
        for update in record.summary.update:
            if update.key.startswith("tf_repro"):
                shown[update.key] = json.loads(update.value_json)
    return shown, passports


def with_tensorboard():
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    fit(callbacks=[tf.keras.callbacks.TensorBoard("logs")])
    events = EventAccumulator("logs/train").Reload()
    if "tf_repro/passport" not in events.Tags()["tensors"]:
        return {}, []
    texts = [one.tensor_proto.string_val[0] for one in events.Tensors("tf_repro/passport")]
    return {}, [json.loads(text) for text in texts]


def with_dvclive():
    import dvclive

    with dvclive.Live(save_dvc_exp=False) as live:
        fit()
        live.log_metric("loss", 1.0)
    left = {path.name: json.loads(path.read_text()) for path in pathlib.Path(live.dir).glob("tf*")}
    passport = left.pop(PASSPORT, None)
    return left, [passport] if passport else []


def without():
    fit()
    return {}, []


shown, passports = globals()[f"with_{tracker}" if tracker else "without"]()
if passports:
    pathlib.Path(PASSPORT).write_text(json.dumps(passports[-1]))
print(json.dumps({"shown": shown, "passports": passports}))
