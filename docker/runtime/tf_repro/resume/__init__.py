"""A training that is interrupted and started again goes on as if it had never stopped.

Whenever the script's own checkpointing saves, the state of every random source and the place in
every pipeline are left beside the checkpoint, and whenever it restores, they are restored, too.
The script is not asked for anything, and what it saves stays as it is.

This table is loaded at the start, unless TF_REPRO_RESUME is off, and the files when their modules
are imported.
"""

# Module that is awaited -> file beside this one that knows what to do with it.
WATCHED = {
    "random": "early",
    "numpy.random": "early",
    "torch": "early",
    "tensorflow.python.framework.random_seed": "objects",
    "tensorflow.python.ops.stateful_random_ops": "objects",
    "keras.src.random.seed_generator": "objects",
    "tensorflow.python.framework.func_graph": "traces",
    "tensorflow.python.ops.gen_random_ops": "kernels",
    "tensorflow.python.data.ops.dataset_ops": "pipelines",
    "tensorflow.python.data.ops.iterator_ops": "pipelines",
    "tensorflow.python.data.ops.multi_device_iterator_ops": "pipelines",
    "tensorflow.python.data.util.random_seed": "pipelines",
    "tensorflow.python.saved_model.save": "exporting",
    "tensorflow.python.checkpoint.checkpoint": "checkpoints",
    "tensorflow.python.checkpoint.checkpoint_management": "checkpoints",
    # Keras 2: 2.12, and 2.13 to 2.15.
    "keras.engine.data_adapter": "keras_2",
    "keras.src.engine.data_adapter": "keras_2",
    "keras.callbacks": "keras_2",
    "keras.src.callbacks": "keras_2",
    "keras.saving.saving_lib": "keras_saving",
    "keras.src.saving.saving_lib": "keras_saving",
    "keras.saving.legacy.hdf5_format": "keras_saving",
    "keras.src.saving.legacy.hdf5_format": "keras_saving",
    "keras.metrics.base_metric": "metrics",
    "keras.src.metrics.base_metric": "metrics",
    "keras.engine.training": "keras_saving",
    "keras.src.engine.training": "keras_saving",
    # Keras 3.
    "keras.src.trainers.epoch_iterator": "keras_3",
    "keras.src.callbacks.callback_list": "keras_3",
    "keras.src.callbacks.backup_and_restore": "keras_3",
    "keras.src.callbacks.model_checkpoint": "keras_3",
    "keras.src.legacy.saving.legacy_h5_format": "keras_saving",
    "keras.src.models.model": "keras_saving",
    "keras.src.metrics.metric": "metrics",
}
