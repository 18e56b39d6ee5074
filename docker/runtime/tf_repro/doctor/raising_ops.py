"""The ops that raise under determinism, and what to use instead: `tf-repro doctor --ops`.

TensorFlow has no deterministic kernel for them and says so (UnimplementedError), rather than to
give other bits in silence. The list is that of the messages in the wheels of 2.12 to 2.21, which do
not differ. Those that the runtime closes do not raise here: CLOSED says how.
"""

import json
import sys

# (ops, where they are met, where they raise, what to use instead)
RAISE = (
    (
        "AdjustContrast, AdjustContrastv2",
        "tf.image.adjust_contrast, random_contrast, the layer RandomContrast",
        "GPU",
        "the same formula, mean + factor * (x - mean) with tf.reduce_mean over height and width; or"
        " augment in tf.data, which runs on the CPU",
    ),
    (
        "ResizeNearestNeighborGrad",
        "the gradient of tf.image.resize(method='nearest') and of UpSampling2D",
        "GPU",
        "tf.repeat over height and width for whole factors; or interpolation='bilinear'",
    ),
    (
        "CropAndResizeGradImage, CropAndResizeGradBoxes",
        "the gradient of tf.image.crop_and_resize",
        "GPU",
        "crop in tf.data where no gradient is needed; else slices and a bilinear tf.image.resize",
    ),
    (
        "SparseTensorDenseMatMul",
        "tf.sparse.sparse_dense_matmul",
        "GPU",
        "tf.matmul(tf.sparse.to_dense(a), b); or the op under tf.device('CPU:0')",
    ),
    (
        "FusedBatchNormGradV3 with is_training=False",
        "training through a frozen BatchNormalization, called with training=False",
        "GPU",
        "tf.nn.batch_normalization with the moving mean and variance; in Keras 2 fused=False",
    ),
    (
        "FakeQuantWithMinMaxVarsGradient, FakeQuantWithMinMaxVarsPerChannelGradient",
        "quantisation-aware training",
        "GPU",
        "nothing deterministic: train with TF_REPRO=seed, or on the CPU",
    ),
    (
        "Dilation2DBackpropFilter, Dilation2DBackpropInput",
        "the gradient of tf.nn.dilation2d",
        "GPU",
        "tf.nn.max_pool2d where the filter is flat; else the op under tf.device('CPU:0')",
    ),
    (
        "MaxPoolGradWithArgmax",
        "the gradient of tf.nn.max_pool_with_argmax",
        "GPU",
        "tf.nn.max_pool2d for the values, whose gradient is deterministic",
    ),
    (
        "Svd of a matrix with one column",
        "tf.linalg.svd",
        "GPU",
        "its only singular value is tf.norm(column), and u is the column divided by it",
    ),
    (
        "ScatterAdd, ScatterSub, ScatterNdAdd and their like on TF 1 reference variables",
        "tf.compat.v1 with use_resource=False",
        "GPU",
        "resource variables: tf.compat.v1.enable_resource_variables()",
    ),
    (
        "DebugNumericSummaryV2",
        "tf.debugging.experimental.enable_dump_debug_info",
        "GPU",
        "tf.debugging.check_numerics on the tensors in question",
    ),
    (
        "the gradient of max pooling under XLA",
        "MaxPooling2D and the like with jit_compile=True",
        "GPU and CPU",
        "jit_compile=False; or average pooling, or a strided convolution",
    ),
)
# (ops, what the runtime does about them)
CLOSED = (
    ("random ops without a seed", "the global seed is set as TensorFlow is imported"),
    (
        "tf.random.get_global_generator, Generator.from_non_deterministic_state",
        "they get a generator of the run's streams",
    ),
    (
        "tf.image.sample_distorted_bounding_box, tf.nn.fractional_max_pool, fractional_avg_pool",
        "they get the op seed that determinism insists on",
    ),
    ("Timestamp", "tf.timestamp takes the time from Python"),
    ("Bincount, DenseBincount", "they count on the CPU, in one thread"),
)


def run(*, as_json: bool) -> int:
    """Print the list; return 0."""
    if as_json:
        keys = ("ops", "met_in", "device", "instead")
        whole = {
            "raise": [dict(zip(keys, row, strict=True)) for row in RAISE],
            "closed": [dict(zip(("ops", "how"), row, strict=True)) for row in CLOSED],
        }
        json.dump(whole, sys.stdout, indent=1)
        sys.stdout.write("\n")
        return 0
    lines = ["These ops raise under determinism:", ""]
    for ops, met_in, device, instead in RAISE:
        lines += [f"{ops} ({device})", f"    met in   {met_in}", f"    instead  {instead}", ""]
    lines += ["These would raise, and the runtime closes them:", ""]
    lines += [f"{ops}: {how}" for ops, how in CLOSED]
    sys.stdout.write("\n".join(lines) + "\n")
    return 0
