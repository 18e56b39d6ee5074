"""The private names of libraries that we touch, why, and where a test has seen them.

A private name may go with any release, and nobody will say so. Each is here, so that whoever adds a
release knows where to look; tests/image/test_private_names.py looks them up in the image itself.
"""

from fnmatch import fnmatchcase
from typing import NamedTuple

# The releases of TensorFlow whose images have been looked through, oldest and newest first.
KERAS_2 = "2.12 2.15"
KERAS_3 = "2.18 2.21"
ALL = f"{KERAS_2} {KERAS_3}"
PYTHON = "Python 3.11"


class Private(NamedTuple):
    """One name.

    Attributes:
        module: where it is; empty for an attribute of objects, which no import finds.
        name: in the module, or of an object of that class.
        why: what is not covered without it, to be followed by "not covered".
        seen: in which releases a test has seen it.
    """

    module: str
    name: str
    why: str
    seen: str


_TF = "tensorflow.python."
_WORKERS = "fit with several workers is"
_UPDATE = "recording the steps of an optimiser is"
_PRECISION = "turning mixed precision back is"
_EXECUTOR = "an executor of another package is"
_LOOPS = "the order of a loop's draws is"
_KEYS = "drawing by key in tf.data is"
_NESTED = "the seed of a dataset within a function is"
_DRAWING_OPS = (
    *("random_uniform", "random_uniform_int", "random_standard_normal", "truncated_normal"),
    *("parameterized_truncated_normal", "random_shuffle", "multinomial", "random_gamma"),
    "random_poisson_v2",
)
_RESUME = "resuming a training is"
_ITERATOR, _CHECKPOINT = f"{_TF}data.ops.iterator_ops", f"{_TF}checkpoint.checkpoint"
_SKIPPING = "leaving out what was used before an interruption is"
# File of a kind of dataset -> its class, and the attributes of that.
_SKIPPED = {
    "batch_op": ("_BatchDataset", "_ParallelBatchDataset"),
    "dataset_ops": ("_OptionsDataset", "_VariantDataset", "DatasetV2._common_args"),
    "map_op": ("_MapDataset", "_ParallelMapDataset"),
    "prefetch_op": ("_PrefetchDataset",),
    "zip_op": ("_ZipDataset",),
}
_SKIPPED_ATTRIBUTES = (
    *("_BatchDataset._batch_size", "_BatchDataset._drop_remainder", "_MapDataset._map_func"),
    *("_ParallelBatchDataset._num_parallel_calls", "_PrefetchDataset._buffer_size"),
    *("_ZipDataset._datasets", "DatasetV2._variant_tensor"),
)
_HANDLER = (
    *("_adapter", "_current_step", "_dataset", "_epochs", "_inferred_steps", "_initial_epoch"),
    *("_initial_step", "_model", "_step_increment"),
)
_TRACKED = "leaving a run's passport is"
_TASKS = "drawing by task in Ray is"
_NO_TEST = ""  # is in no image of ours

NAMES = (
    # Python
    Private("random", "_inst", "the global generator of random is", PYTHON),
    Private("multiprocessing.process", "BaseProcess._bootstrap", "a spawned process is", PYTHON),
    Private("multiprocessing.pool", "Pool._map_async", "Pool.map and starmap are", PYTHON),
    # NumPy
    Private("numpy.random", "bit_generator.randbits", "what is made without a seed is", ALL),
    Private("numpy.random", "MT19937._legacy_seeding", "reseeding a forked child is", ALL),
    Private("numpy.random", "mtrand._rand", "the global generator in audit is", ALL),
    # scikit-learn and SciPy
    Private("sklearn.utils.validation", "check_random_state", "its use in audit is", _NO_TEST),
    Private("scipy._lib._util", "check_random_state", "its use in audit is", _NO_TEST),
    # TensorFlow: sources
    Private(f"{_TF}framework.random_seed", "get_seed", "the seed of every op is", ALL),
    Private(f"{_TF}framework.random_seed", "_MAXINT32", "the seed of every op is", ALL),
    Private(
        f"{_TF}framework.func_graph", "func_graph_from_py_func", "naming streams by traces is", ALL
    ),
    Private(f"{_TF}framework.func_graph", "FuncGraph.__init__", "naming streams by traces is", ALL),
    Private(f"{_TF}ops.while_v2", "_build_while_op", _LOOPS, ALL),
    Private(f"{_TF}ops.control_flow_ops", "WhileContext.BuildLoop", f"TF 1: {_LOOPS}", ALL),
    *(Private(f"{_TF}ops.gen_random_ops", name, _KEYS, ALL) for name in _DRAWING_OPS),
    Private(f"{_TF}ops.gen_candidate_sampling_ops", "*uniform_candidate_sampler", _KEYS, ALL),
    Private(f"{_TF}ops.gen_nn_ops", "fractional_max_pool", "fractional pooling is", ALL),
    Private(f"{_TF}ops.gen_nn_ops", "fractional_avg_pool", "fractional pooling is", ALL),
    Private(f"{_TF}ops.gen_image_ops", "sample_distorted_bounding_box_v2", _KEYS, ALL),
    Private(f"{_TF}ops.stateful_random_ops", "Generator.skip", _KEYS, ALL),
    Private(f"{_TF}ops.stateful_random_ops", "Generator._prepare_key_counter", _KEYS, ALL),
    Private(f"{_TF}ops.script_ops", "numpy_function", _KEYS, ALL),
    Private(f"{_TF}ops.script_ops", "eager_py_func", _KEYS, ALL),
    Private(f"{_TF}data.util.random_seed", "get_seed", _NESTED, ALL),
    Private(f"{_TF}data.util.traverse", "obtain_capture_by_value_ops", _NESTED, ALL),
    Private(f"{_TF}data.util.traverse", "_traverse", _NESTED, ALL),
    Private("", "DatasetV1Adapter._dataset", f"TF 1: {_KEYS}", ALL),
    Private(f"{_TF}framework.random_seed", "set_seed", "noticing an own seed is", ALL),
    Private(f"{_TF}framework.random_seed", "set_random_seed", "noticing an own seed is", ALL),
    Private(
        f"{_TF}ops.stateful_random_ops",
        "Generator.from_non_deterministic_state",
        "a generator without a seed is",
        ALL,
    ),
    Private(
        f"{_TF}ops.stateful_random_ops",
        "get_global_generator",
        "the global generator of tf.random is",
        ALL,
    ),
    Private(
        f"{_TF}ops.image_ops_impl", "sample_distorted_bounding_box*", "tf.image's boxes are", ALL
    ),
    Private(f"{_TF}ops.nn_ops", "fractional_max_pool*", "fractional pooling is", ALL),
    Private(f"{_TF}ops.nn_ops", "fractional_avg_pool*", "fractional pooling is", ALL),
    Private(f"{_TF}ops.gen_logging_ops", "timestamp", "tf.timestamp is", ALL),
    Private(f"{_TF}ops.gen_math_ops", "dense_bincount", "counting in one thread is", ALL),
    Private(f"{_TF}ops.gen_math_ops", "bincount", "counting in one thread is", ALL),
    Private(f"{_TF}ops.gen_math_ops", "DenseBincount", "counting in one thread is", ALL),
    Private(f"{_TF}ops.gen_math_ops", "Bincount", "counting in one thread is", ALL),
    Private(f"{_TF}data.ops.dataset_ops", "DatasetV2.*", "tf.data's order is", ALL),
    Private(f"{_TF}data.ops.dataset_ops", "DatasetV1.map", f"TF 1: {_KEYS}", ALL),
    Private(f"{_TF}eager.context", "Context._initialized", "reseeding a child is", ALL),
    Private(f"{_TF}eager.context", "Context._rng", "comparing the seeds of ops is", ALL),
    # TensorFlow: recording
    Private(f"{_TF}eager.backprop", "GradientTape.gradient", "recording the loss is", ALL),
    Private(
        f"{_TF}eager.polymorphic_function.polymorphic_function",
        "Function.__call__",
        "knowing what XLA compiles is",
        ALL,
    ),
    Private("", "Function._clone", "a function that draws and is called twice is", ALL),
    Private("", "Function._list_all_concrete_functions", "telling what draws is", ALL),
    Private("", "Function._jit_compile", "knowing what XLA compiles is", ALL),
    Private(
        f"{_TF}data.ops.structured_function",
        "StructuredFunctionWrapper.__init__",
        "recording the random ops of tf.data is",
        ALL,
    ),
    Private(f"{_TF}ops.stateful_random_ops", "Generator.__init__", "recording generators is", ALL),
    Private("", "EagerTensor._id", "--bisect of eager operations is", ALL),
    Private("", "DType._is_ref_dtype", "--bisect of TF 1 references is", ALL),
    # Keras 2: 2.12 is keras.engine, 2.13 to 2.15 keras.src
    Private("keras.engine.data_adapter", "KerasSequenceAdapter.__init__", _WORKERS, "2.12"),
    Private("keras.src.engine.data_adapter", "KerasSequenceAdapter.__init__", _WORKERS, "2.15"),
    Private("keras.mixed_precision.policy", "set_*_policy", _PRECISION, "2.12"),
    Private("keras.src.mixed_precision.policy", "set_*_policy", _PRECISION, "2.15"),
    Private("keras.engine.training", "Model.make_train_function", "recording fit is", "2.12"),
    Private("keras.src.engine.training", "Model.make_train_function", "recording fit is", "2.15"),
    Private("keras.optimizers.optimizer", "Optimizer.apply_gradients", _UPDATE, "2.12"),
    Private("keras.src.optimizers.optimizer", "Optimizer.apply_gradients", _UPDATE, "2.15"),
    Private("keras.optimizers.legacy.optimizer_v2", "OptimizerV2.apply_gradients", _UPDATE, "2.12"),
    Private(
        "keras.src.optimizers.legacy.optimizer_v2", "OptimizerV2.apply_gradients", _UPDATE, "2.15"
    ),
    Private("keras.callbacks", "CallbackList.on_epoch_end", "recording epochs is", "2.12"),
    Private("keras.src.callbacks", "CallbackList.on_epoch_end", "recording epochs is", "2.15"),
    Private("keras.backend", "RandomGenerator._maybe_init", _KEYS, "2.12"),
    Private("keras.src.backend", "RandomGenerator._maybe_init", _KEYS, "2.15"),
    Private("tf_keras.src.backend", "RandomGenerator._maybe_init", _KEYS, _NO_TEST),
    # Keras 3
    Private("keras.src.random.seed_generator", "SeedGenerator.next", _KEYS, KERAS_3),
    Private("", "SeedGenerator._initial_seed", _KEYS, KERAS_3),
    Private(
        "keras.src.trainers.data_adapters.py_dataset_adapter",
        "OrderedEnqueuer.__init__",
        _WORKERS,
        KERAS_3,
    ),
    Private("keras.src.dtype_policies.dtype_policy", "set_*_policy", _PRECISION, KERAS_3),
    Private(
        "keras.src.backend.tensorflow.trainer",
        "TensorFlowTrainer.make_train_function",
        "recording fit is",
        KERAS_3,
    ),
    Private("keras.src.optimizers.base_optimizer", "BaseOptimizer.apply", _UPDATE, KERAS_3),
    Private("", "BaseOptimizer._trainable_variables", _UPDATE, KERAS_3),
    Private(
        "keras.src.callbacks.callback_list",
        "CallbackList.on_epoch_end",
        "recording epochs is",
        KERAS_3,
    ),
    Private(
        "keras.src.random.seed_generator",
        "SeedGenerator.__init__",
        "recording generators is",
        KERAS_3,
    ),
    Private("", "Variable._value", "recording generators is", KERAS_3),
    # Resuming
    *(
        Private(_CHECKPOINT, name, _RESUME, ALL)
        for name in (
            *("Checkpoint.__init__", "CheckpointV1.__init__"),
            *("TrackableSaver.save", "TrackableSaver.restore"),
        )
    ),
    Private(f"{_CHECKPOINT}_management", "_delete_file_if_exists", "removing states is", ALL),
    Private(f"{_TF}saved_model.save", "_build_meta_graph", "exporting what draws is", ALL),
    Private(f"{_TF}framework.op_def_registry", "get", "exporting what draws is", ALL),
    *(
        Private(_ITERATOR, f"OwnedIterator.{name}", _RESUME, ALL)
        for name in ("_create_iterator", "_next_internal", "_restore_from_tensors")
    ),
    *(
        Private(
            f"{_TF}data.ops.multi_device_iterator_ops",
            f"OwnedMultiDeviceIterator.{name}",
            _RESUME,
            ALL,
        )
        for name in ("__init__", "get_next", "get_next_as_optional")
    ),
    Private("", "DistributedDataset._cloned_datasets", _RESUME, ALL),
    Private("", "DistributedDatasetsFromFunction._datasets", _RESUME, ALL),
    Private("", "SyncOnReadVariable._values", "the metrics of a resumed epoch are", KERAS_2),
    Private(f"{_TF}data.ops.dataset_ops", "DatasetV2._inputs", _RESUME, ALL),
    Private(f"{_TF}data.ops.shuffle_op", "_ShuffleDataset", _RESUME, ALL),
    Private(f"{_TF}data.ops.random_op", "_RandomDataset", _RESUME, ALL),
    *(
        Private(f"{_TF}data.ops.{module}", name, _SKIPPING, ALL)
        for module, names in _SKIPPED.items()
        for name in names
    ),
    *(Private("", name, _SKIPPING, ALL) for name in _SKIPPED_ATTRIBUTES),
    Private(f"{_TF}eager.context", "Context._seed", _RESUME, ALL),
    *(Private("", f"DataHandler.{name}", _RESUME, KERAS_2) for name in _HANDLER),
    *(
        Private(f"{keras}.{module}", name, _RESUME, release)
        for keras, release in (("keras", "2.12"), ("keras.src", "2.15"))
        for module, name in (
            ("engine.data_adapter", "DataHandler.enumerate_epochs"),
            ("engine.data_adapter", "TensorLikeDataAdapter.__init__"),
            ("engine.training", "Model.save_weights"),
            ("engine.training", "Model.load_weights"),
            ("callbacks", "BackupAndRestore._backup"),
            ("callbacks", "BackupAndRestore.__init__"),
            ("callbacks", "ModelCheckpoint.__init__"),
            ("callbacks", "CallbackList.*"),
            ("metrics.base_metric", "Metric.add_weight"),
            ("saving.saving_lib", "save_*"),
            ("saving.saving_lib", "load_*"),
            ("saving.legacy.hdf5_format", "save_*"),
            ("saving.legacy.hdf5_format", "load_*"),
        )
    ),
    Private("", "LossesContainer._total_loss_mean", "the loss of a resumed epoch is", KERAS_2),
    *(
        Private(f"keras.src.{module}", name, _RESUME, KERAS_3)
        for module, name in (
            ("trainers.epoch_iterator", "EpochIterator.reset"),
            ("trainers.epoch_iterator", "EpochIterator._enumerate_iterator"),
            ("callbacks.callback_list", "CallbackList.*"),
            ("callbacks.backup_and_restore", "BackupAndRestore.__init__"),
            ("callbacks.backup_and_restore", "BackupAndRestore._save_model"),
            ("callbacks.model_checkpoint", "ModelCheckpoint.__init__"),
            ("legacy.saving.legacy_h5_format", "save_*"),
            ("legacy.saving.legacy_h5_format", "load_*"),
            ("metrics.metric", "Metric.add_variable"),
            ("models.model", "Model.save_weights"),
            ("models.model", "Model.load_weights"),
            ("saving.saving_lib", "save_*"),
            ("saving.saving_lib", "load_*"),
        )
    ),
    Private("", "EpochIterator._steps_seen", _RESUME, KERAS_3),
    Private("", "Layer._seed_generators", _RESUME, KERAS_3),
    Private("", "Trainer._initial_epoch", _RESUME, KERAS_3),
    # Trackers
    Private(f"{_TF}ops.summary_ops_v2", "create_file_writer_v2", _TRACKED, ALL),
    Private(f"{_TF}ops.summary_ops_v2", "_ResourceSummaryWriter.close", _TRACKED, ALL),
    Private("", "_ResourceSummaryWriter._closed", _TRACKED, ALL),
    Private("dvclive.live", "Live.end", _TRACKED, _NO_TEST),
    Private("mlflow.tracking.fluent", "*_run", _TRACKED, _NO_TEST),
    Private("wandb.sdk.wandb_init", "init", _TRACKED, _NO_TEST),
    Private("wandb.sdk.wandb_run", "Run.finish", _TRACKED, _NO_TEST),
    # Others
    Private("loky.process_executor", "ProcessPoolExecutor.submit", _EXECUTOR, _NO_TEST),
    Private(
        "joblib.externals.loky.process_executor",
        "ProcessPoolExecutor.submit",
        _EXECUTOR,
        _NO_TEST,
    ),
    Private("joblib.parallel", "Parallel.__call__", "numbering joblib's tasks is", _NO_TEST),
    Private("distributed.worker", "_run_task", "drawing by task in Dask is", _NO_TEST),
    Private("ray.remote_function", "RemoteFunction._remote", _TASKS, _NO_TEST),
    Private("ray.actor", "ActorClass._remote", _TASKS, _NO_TEST),
    *(
        Private(f"ray.{place}.signature", name, _TASKS, _NO_TEST)
        for place in ("_common", "_private")
        for name in ("flatten_args", "recover_args")
    ),
)


def what(module: str, name: str) -> str:
    """Return what is not covered where a release lacks a name; "it is" for a public one."""
    return next(
        (one.why for one in NAMES if one.module == module and fnmatchcase(name, one.name)), "it is"
    )
