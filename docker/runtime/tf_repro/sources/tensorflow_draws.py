"""TensorFlow's and Keras' random ops: where the rules of tf_repro.draws are put in their places."""

from collections.abc import Callable
from types import ModuleType

from tf_repro.draws import (
    calls,
    keras,
    loops,
    nested,
    pooling,
    python_functions,
    seeds,
    stateless,
)

ON_IMPORT: dict[str, Callable[[ModuleType], None]] = {
    "tensorflow.python.data.util.random_seed": nested.on_data_random_seed,
    "tensorflow.python.data.util.traverse": nested.on_traverse,
    "tensorflow.python.eager.polymorphic_function.polymorphic_function": calls.on_function,
    "tensorflow.python.framework.func_graph": seeds.on_func_graph,
    "tensorflow.python.framework.random_seed": seeds.on_random_seed,
    "tensorflow.python.ops.control_flow_ops": loops.on_control_flow_ops,
    "tensorflow.python.ops.gen_candidate_sampling_ops": stateless.on_generated_ops,
    "tensorflow.python.ops.gen_nn_ops": pooling.on_gen_nn_ops,
    "tensorflow.python.ops.gen_image_ops": stateless.on_generated_ops,
    "tensorflow.python.ops.gen_random_ops": stateless.on_generated_ops,
    "tensorflow.python.ops.script_ops": python_functions.on_script_ops,
    "tensorflow.python.ops.while_v2": loops.on_while_v2,
    # Keras 2: 2.12, 2.13 to 2.15, and as a package of its own.
    "keras.backend": keras.on_keras_2,
    "keras.src.backend": keras.on_keras_2,
    "tf_keras.src.backend": keras.on_keras_2,
    "keras.src.random.seed_generator": keras.on_keras_3,
}
