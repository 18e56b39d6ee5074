"""How far what TensorFlow computes is from what is right, and how much of it is exact, as JSON."""

import json

import numpy as np
import tensorflow as tf

rng = np.random.default_rng(1)


def error(got: object, wanted: np.ndarray) -> float:
    """Return the largest relative error, of the largest value that is wanted."""
    return float(np.abs(np.asarray(got, np.float64) - wanted).max() / np.abs(wanted).max())


def product(rows: int, depth: int, columns: int, kind: str) -> float:
    """Return the error of a product; oneDNN and Eigen have kernels by size, type and processor."""
    a, b = rng.standard_normal((rows, depth)), rng.standard_normal((depth, columns))
    a, b = (tf.cast(each, kind) for each in (a, b))
    return error(
        tf.cast(a @ b, "float64"), np.asarray(tf.cast(a, "float64")) @ tf.cast(b, "float64")
    )


x = rng.random(1_000_000, np.float32) + np.float32(1e-3)
exact = x.astype("float64")
image = rng.standard_normal((2, 12, 12, 8)).astype("float32")
square = rng.standard_normal((200, 200))
layer = tf.keras.layers.Dense(4, dtype="mixed_bfloat16")
print(
    json.dumps(
        {
            "products": {
                kind: max(
                    product(*size, kind)
                    for size in ((7, 13, 5), (64, 64, 64), (10_000, 100, 100), (31, 4096, 17))
                )
                for kind in ("float64", "float32", "float16", "bfloat16")
            },
            "rsqrt": error(tf.math.rsqrt(x), 1 / np.sqrt(exact)),
            "reciprocal": error(tf.math.reciprocal(x), 1 / exact),
            "lrn": error(
                tf.nn.lrn(image, 2, beta=0.5),
                image
                / np.sqrt(
                    1
                    + np.stack(
                        [(image[..., max(0, i - 2) : i + 3] ** 2).sum(-1) for i in range(8)], -1
                    )
                ),
            ),
            "solve": error(tf.linalg.solve(square, square), np.eye(200)),
            "a layer of bfloat16": error(
                tf.cast(layer(image[0, 0]), "float64"), image[0, 0] @ layer.kernel.numpy()
            ),
            "reciprocals that are exact": float(
                (tf.math.reciprocal(x).numpy() == np.float32(1) / x).mean()
            ),
        }
    )
)
