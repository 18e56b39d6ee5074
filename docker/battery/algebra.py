"""Reductions, products of matrices, and their decompositions."""

from collections.abc import Iterator

import tensorflow as tf

from .case import Case, Shapes, rows
from .exact import REAL, WIDE

math, linalg = tf.math, tf.linalg
REDUCTIONS = {
    **{f"reduce_{name}": getattr(math, f"reduce_{name}") for name in ("sum", "mean", "max")},
    **{f"reduce_{name}": getattr(math, f"reduce_{name}") for name in ("std", "variance")},
    "reduce_logsumexp": math.reduce_logsumexp,
    "reduce_euclidean_norm": math.reduce_euclidean_norm,
    "reduce_prod": lambda x: math.reduce_prod(x / 4 + 1),
    "reduce_sum rows": lambda x: math.reduce_sum(x, -1),
    "reduce_sum columns": lambda x: math.reduce_sum(x, 0),
    "reduce_mean rows": lambda x: math.reduce_mean(x, -1),
    "reduce_mean columns": lambda x: math.reduce_mean(x, 0),
    "reduce_variance columns": lambda x: math.reduce_variance(x, 0),
    "reduce_logsumexp rows": lambda x: math.reduce_logsumexp(x, -1),
    "cumsum": lambda x: math.cumsum(x, -1),
    "cumprod": lambda x: math.cumprod(x / 16 + 1, -1),
    "cumulative_logsumexp": lambda x: math.cumulative_logsumexp(x, -1),
    "l2_normalize": lambda x: math.l2_normalize(x, -1),
    "l2_loss": tf.nn.l2_loss,
    "norm": tf.norm,
    "norm 1": lambda x: tf.norm(x, ord=1, axis=-1),
    "norm 3": lambda x: tf.norm(math.abs(x), ord=3, axis=-1),
    "linalg.normalize": lambda x: linalg.normalize(x, axis=-1)[0],
    "clip_by_norm": lambda x: tf.clip_by_norm(x, 1.5),
    "clip_by_global_norm": lambda x: tf.clip_by_global_norm([x, x[:1]], 1.5)[0],
    "moments": lambda x: tf.nn.moments(x, 0),
    "argmax": lambda x: tf.argmax(x, -1),
    "argsort": lambda x: tf.argsort(math.round(x * 4), axis=-1),
    "top_k": lambda x: math.top_k(math.round(x * 4), 5),
    "softmax": tf.nn.softmax,
    "log_softmax": tf.nn.log_softmax,
    "add_n": lambda x: tf.add_n([x, x * x, x / 3]),
    "bincount": lambda x: math.bincount(
        tf.cast(math.abs(tf.reshape(x, [-1])) * 3, "int32"), tf.reshape(x, [-1])
    ),
    "segment_sum": lambda x: math.segment_sum(x, tf.range(len(x)) // 3),
    "segment_mean": lambda x: math.segment_mean(x, tf.range(len(x)) // 3),
    "unsorted_segment_sum": lambda x: math.unsorted_segment_sum(x, tf.range(len(x)) % 3, 3),
    "unsorted_segment_mean": lambda x: math.unsorted_segment_mean(x, tf.range(len(x)) % 3, 3),
    "unsorted_segment_sqrt_n": lambda x: math.unsorted_segment_sqrt_n(x, tf.range(len(x)) % 3, 3),
    "scatter_nd": lambda x: tf.scatter_nd(tf.range(len(x))[:, None] % 3, x, [3, x.shape[1]]),
    "histogram": lambda x: tf.histogram_fixed_width(x, tf.constant([-2, 2], x.dtype)),
}
# A product's inner dimension up to 4096: block sizes follow the caches that the processor reports.
PRODUCT_SIZES: tuple[Shapes, ...] = (
    ((5, 16), (16, 7)),
    ((64, 256), (256, 64)),
    ((33, 1000), (1000, 17)),
    ((16, 4096), (4096, 16)),
    ((64, 4096), (4096, 32)),
    ((1, 4096), (4096, 512)),
    ((600, 20), (20, 700)),
)
PRODUCTS = {"matmul": tf.matmul}
# The same kernels by other names: not at every size.
BY_OTHER_NAMES = {
    "matmul transposed": lambda a, b: tf.matmul(tf.transpose(b), a, False, True),
    "einsum": lambda a, b: tf.einsum("ik,kj->ij", a, b),
    "tensordot": lambda a, b: tf.tensordot(a, b, 1),
}
BATCHED_SIZES: tuple[Shapes, ...] = (((3, 5, 16), (3, 16, 7)), ((8, 17, 1024), (8, 1024, 9)))
BATCHED = {"batch matmul": tf.matmul, "batch einsum": lambda a, b: tf.einsum("bik,bkj->ij", a, b)}
VECTOR_SIZES: tuple[Shapes, ...] = (((5, 16), (16,)), ((256, 4096), (4096,)))
VECTORS = {
    "matvec": linalg.matvec,
    "sparse matmul": lambda a, b: tf.sparse.sparse_dense_matmul(
        tf.sparse.from_dense(tf.where(a > 0, a, 0)), b[:, None]
    ),
}


def _definite(x: tf.Tensor) -> tf.Tensor:
    product = tf.matmul(x, x, adjoint_b=True)
    return product + tf.eye(len(x), dtype=x.dtype) * 2


SQUARES = {
    "cholesky": lambda x: linalg.cholesky(_definite(x)),
    "cholesky_solve": lambda x: linalg.cholesky_solve(linalg.cholesky(_definite(x)), x),
    "qr": linalg.qr,
    "svd": linalg.svd,
    "singular values": lambda x: linalg.svd(x, compute_uv=False),
    "eigh": lambda x: linalg.eigh(_definite(x)),
    "eig": linalg.eig,
    "lu": linalg.lu,
    "matrix_inverse": linalg.inv,
    "pinv": linalg.pinv,
    "det": linalg.det,
    "logdet": lambda x: linalg.logdet(_definite(x)),
    "slogdet": linalg.slogdet,
    "solve": lambda x: linalg.solve(x, tf.transpose(x)),
    "triangular_solve": lambda x: linalg.triangular_solve(linalg.cholesky(_definite(x)), x),
    "lstsq": lambda x: linalg.lstsq(x, x[:, :2] * x[:, 1:3]),
    "expm": lambda x: linalg.expm(x / 8),
    "sqrtm": lambda x: linalg.sqrtm(_definite(x)),
    "logm": lambda x: linalg.logm(tf.cast(_definite(x), "complex128")),
    "matrix_rank": linalg.matrix_rank,
    "trace": linalg.trace,
    "cross": lambda x: linalg.cross(x[:, :3], x[:, 1:4]),
}


def cases() -> Iterator[Case]:
    """Yield the rows."""
    yield from rows(REDUCTIONS, (((7, 13),), ((48, 4096),), ((3000, 20),)), REAL)
    yield from rows(PRODUCTS, PRODUCT_SIZES, REAL)
    yield from rows(BY_OTHER_NAMES, PRODUCT_SIZES[:4], REAL)
    yield from rows(PRODUCTS, PRODUCT_SIZES[:2], ("complex64", "complex128"))
    yield from rows(BATCHED, BATCHED_SIZES, REAL)
    yield from rows(VECTORS, VECTOR_SIZES, REAL)
    yield from rows(SQUARES, (((5, 5),), ((24, 24),), ((100, 100),)), WIDE)
    few = {name: SQUARES[name] for name in ("cholesky", "qr", "svd", "eigh", "solve")}
    yield from rows(few, (((5, 5),), ((24, 24),)), ("complex64", "complex128"))
