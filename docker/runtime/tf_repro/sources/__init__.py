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
    "tensorflow.python.data.util.random_seed": "tensorflow_draws",
    "tensorflow.python.data.util.traverse": "tensorflow_draws",
    "tensorflow.python.eager.polymorphic_function.polymorphic_function": "tensorflow_draws",
    "tensorflow.python.framework.func_graph": "tensorflow_draws",
    "tensorflow.python.framework.random_seed": "tensorflow_draws",
    "tensorflow.python.ops.control_flow_ops": "tensorflow_draws",
    "tensorflow.python.ops.gen_candidate_sampling_ops": "tensorflow_draws",
    "tensorflow.python.ops.gen_nn_ops": "tensorflow_draws",
    "tensorflow.python.ops.gen_image_ops": "tensorflow_draws",
    "tensorflow.python.ops.gen_random_ops": "tensorflow_draws",
    "tensorflow.python.ops.gen_logging_ops": "tensorflow",
    "tensorflow.python.ops.gen_math_ops": "tensorflow",
    "tensorflow.python.ops.image_ops_impl": "tensorflow",
    "tensorflow.python.ops.nn_ops": "tensorflow",
    "tensorflow.python.ops.script_ops": "tensorflow_draws",
    "tensorflow.python.ops.stateful_random_ops": "tensorflow",
    "tensorflow.python.ops.while_v2": "tensorflow_draws",
    "tf_keras.src.backend": "tensorflow_draws",
}

# Modules that are awaited before they are executed, too: their libraries read the environment then.
WATCHED_BEFORE = ("cupy", "jax", "numpy", "torch")
