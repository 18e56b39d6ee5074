"""A run leaves its passport with the tracker that the script uses anyway, under TF_REPRO_TRACK=1.

One file for each tracker, and one that follows what is trained. This table is loaded at the start,
where it is asked for, and the files when their modules are imported. What goes wrong in leaving a
passport costs one line on stderr, and never the training.
"""

# Module that is awaited -> file beside this one that knows what to do with it.
WATCHED = {
    # Trackers.
    "dvclive.live": "dvclive",
    "mlflow.tracking.fluent": "mlflow",
    "tensorflow.python.ops.summary_ops_v2": "tensorboard",
    "wandb.sdk.wandb_init": "wandb",
    "wandb.sdk.wandb_run": "wandb",
    # Keras 2: 2.12, and 2.13 to 2.15.
    "keras.engine.training": "training",
    "keras.src.engine.training": "training",
    "keras.optimizers.optimizer": "training",
    "keras.src.optimizers.optimizer": "training",
    "keras.optimizers.legacy.optimizer_v2": "training",
    "keras.src.optimizers.legacy.optimizer_v2": "training",
    "keras.callbacks": "training",
    # Keras 3; the last is Keras 2's, too.
    "keras.src.backend.tensorflow.trainer": "training",
    "keras.src.optimizers.base_optimizer": "training",
    "keras.src.callbacks.callback_list": "training",
    "keras.src.callbacks": "training",
}
