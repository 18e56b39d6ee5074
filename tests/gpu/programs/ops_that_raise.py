"""The ops of `tf-repro doctor --ops`, each called once: what they say, or that they ran."""

import json

import tensorflow as tf

image = tf.random.uniform([1, 8, 8, 3])


def gradient(function, *inputs):
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        result = function(*inputs)
    return tape.gradient(result, inputs)


def frozen_batch_norm(x):
    ones, zeros = tf.ones([3]), tf.zeros([3])
    return tf.compat.v1.nn.fused_batch_norm(x, ones, zeros, zeros, ones, is_training=False)[0]


def crop(x):
    return tf.image.crop_and_resize(x, [[0.1, 0.1, 0.9, 0.9]], [0], [4, 4])


def quantised(x):
    return tf.quantization.fake_quant_with_min_max_vars(x, -1.0, 1.0)


def pool_under_xla(x):
    return tf.function(lambda y: gradient(pool, y), jit_compile=True)(x)


def pool(x):
    return tf.nn.max_pool2d(x, 2, 2, "VALID")


CALLS = {
    "AdjustContrast": lambda: tf.image.adjust_contrast(image, 2.0),
    "ResizeNearestNeighborGrad": lambda: gradient(
        lambda x: tf.image.resize(x, [16, 16], "nearest"), image
    ),
    "CropAndResizeGradImage": lambda: gradient(crop, image),
    "SparseTensorDenseMatMul": lambda: tf.sparse.sparse_dense_matmul(
        tf.sparse.from_dense(tf.eye(4)), tf.ones([4, 4])
    ),
    "FusedBatchNormGradV3": lambda: gradient(frozen_batch_norm, image),
    "FakeQuantWithMinMaxVarsGradient": lambda: gradient(quantised, image),
    "Dilation2DBackpropFilter": lambda: gradient(
        lambda x, f: tf.nn.dilation2d(x, f, [1] * 4, "SAME", "NHWC", [1] * 4),
        image,
        tf.zeros([3, 3, 3]),
    ),
    "MaxPoolGradWithArgmax": lambda: gradient(
        lambda x: tf.nn.max_pool_with_argmax(x, 2, 2, "VALID")[0], image
    ),
    "Svd": lambda: tf.linalg.svd(tf.ones([4, 1])),
    "DebugNumericSummaryV2": lambda: tf.raw_ops.DebugNumericSummaryV2(
        input=image, tensor_debug_mode=2, tensor_id=1
    ),
    "max pooling under XLA": lambda: pool_under_xla(image),
    "DenseBincount": lambda: tf.math.bincount(tf.range(5), weights=tf.ones([5])),
    "Timestamp": tf.timestamp,
    "unseeded random op": lambda: tf.random.uniform([2]),
}
said = {}
for name, call in CALLS.items():
    try:
        tf.nest.map_structure(lambda x: x.numpy() if hasattr(x, "numpy") else x, call())
        said[name] = "ran"
    except (tf.errors.OpError, RuntimeError, NotImplementedError) as error:
        said[name] = f"{type(error).__name__}: {error}"
print(json.dumps({"said": said, "gpus": len(tf.config.list_physical_devices("GPU"))}))
