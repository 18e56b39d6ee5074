"""One file for each source of randomness; each has ON_IMPORT, its functions by module name.

This table is loaded at every start, and the files when their modules are imported.
"""

# Module that is awaited -> file beside this one that knows what to do with it.
WATCHED = {
    "random": "random",
    "numpy": "numpy",
    "numpy.random": "numpy",
    "multiprocessing.process": "multiprocessing",
    "multiprocessing.pool": "multiprocessing",
    "concurrent.futures.process": "multiprocessing",
    "concurrent.futures.thread": "multiprocessing",
    "loky.process_executor": "multiprocessing",
    "joblib.externals.loky.process_executor": "multiprocessing",
    "joblib.parallel": "multiprocessing",
    "IPython.core.interactiveshell": "ipython",
    "cupy": "cupy",
    "cupy.random": "cupy",
    "jax": "jax",
    "keras.src.engine.data_adapter": "keras",
    "keras.engine.data_adapter": "keras",
    "keras.src.trainers.data_adapters.py_dataset_adapter": "keras",
    "keras.backend": "tensorflow_draws",
    "keras.src.backend": "tensorflow_draws",
    "keras.src.random.seed_generator": "tensorflow_draws",
    "keras.src.mixed_precision.policy": "keras",
    "keras.mixed_precision.policy": "keras",
    "keras.src.dtype_policies.dtype_policy": "keras",
    "torch": "torch",
    "tensorflow.python.data.ops.dataset_ops": "tensorflow_data",
    "tensorflow": "tensorflow",
    "tensorflow.python.eager.polymorphic_function.polymorphic_function": "tensorflow_draws",
    "tensorflow.python.framework.func_graph": "tensorflow_draws",
    "tensorflow.python.framework.random_seed": "tensorflow_draws",
    "tensorflow.python.ops.control_flow_ops": "tensorflow_draws",
    "tensorflow.python.ops.gen_random_ops": "tensorflow_draws",
    "tensorflow.python.ops.gen_logging_ops": "tensorflow",
    "tensorflow.python.ops.gen_math_ops": "tensorflow",
    "tensorflow.python.ops.image_ops_impl": "tensorflow",
    "tensorflow.python.ops.nn_ops": "tensorflow",
    "tensorflow.python.ops.stateful_random_ops": "tensorflow",
    "tensorflow.python.ops.while_v2": "tensorflow_draws",
    "tf_keras.src.backend": "tensorflow_draws",
}

# Modules that are awaited before they are executed, too: their libraries read the environment then.
WATCHED_BEFORE = ("cupy", "jax", "numpy", "torch")

# Modules that draw from `random` what is no science: what it is. The file identities makes it truly
# random again, and keeps it off the script's streams.
IDENTITIES = {
    # Python
    "email.generator": "boundaries of MIME parts",
    "email.utils": "Message-IDs",
    "imaplib": "tags of a connection's commands",
    "uuid": "the node of a machine without a network address, and clock sequences",
    # Names of runs, spans, trials, requests
    "comet_ml.error_tracking.api": "whether errors are reported, drawn as it is imported",
    "comet_ml.utils": "names of files",
    "coolname": "names made of words, one of which is drawn as it is imported",
    "dvc.repo.experiments.utils": "names of experiments, DVCLive's among them",
    "haikunator.haikunator": "names made of words",
    "jupyter_server.auth.utils": "names of anonymous users",
    "keras_tuner.src.engine.trial": "ids of trials",
    "mlflow.tracing.provider": "ids of traces and spans",
    "mlflow.utils.name_utils": "names of runs",
    "names_generator": "names made of words",
    "neptune.internal.operation_processors.utils": "names of folders",
    "opentelemetry.sdk.trace.id_generator": "ids of traces and spans",
    "randomname.util": "names made of words",
    "ray._common.utils": "names of clusters, jobs and deployments",
    "ray._private.event.event_logger": "ids of events",
    "ray._private.event.export_event_logger": "ids of events",
    "ray._private.gcs_pubsub": "ids of subscribers",
    "ray.serve._private.utils": "ids of requests",
    "rich.style": "ids of links, from a number that is drawn as it is imported",
    "tensorboard.notebook": "ids of frames in a notebook",
    "unique_names_generator.generator": "names made of words",
    "wandb.sdk.lib.runid": "ids of runs",
    # Ports and salts
    "jupyter_server.auth.security": "the salt of a password",
    "jupyter_server.serverapp": "ports to try",
    "ray._private.node": "ports to try",
    # How long to wait before one tries again: all who were turned away would come back at once
    "backoff._jitter": "retries",
    "botocore.retries.standard": "retries",
    "botocore.retryhandler": "retries",
    "distributed.comm.core": "retries",
    "distributed.utils_comm": "retries",
    "gcsfs.retry": "retries",
    "google.api_core.retry.retry_base": "retries",
    "google.auth._exponential_backoff": "retries",
    "mlflow.server.jobs.lock_manager": "waiting for a lock",
    "mlflow.store.tracking.sqlalchemy_store": "waiting for a lock",
    "optuna.storages._rdb.storage": "waiting for a database",
    "ray._common.retry": "retries",
    "redis.backoff": "retries",
    "tenacity.wait": "retries",
    "tensorboard.util.grpc_util": "retries",
    "urllib3.util.retry": "retries",
    "wandb.sdk.lib.retry": "retries",
}
