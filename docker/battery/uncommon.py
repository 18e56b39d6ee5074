"""Kernels that few programs reach: gradients of decompositions, cells of one op, audio."""

from collections.abc import Iterator
from typing import Any

import tensorflow as tf

from .case import Case, Shapes, rows
from .exact import PARTS, WIDE
from .networks import with_gradients

raw, linalg, signal = tf.raw_ops, tf.linalg, tf.signal


def _definite(x: Any) -> Any:
    return tf.matmul(x, x, transpose_b=True) + tf.eye(len(x), dtype=x.dtype) * 2


DECOMPOSITIONS = {
    "cholesky": lambda x: linalg.cholesky(_definite(x)),
    "matrix_inverse": linalg.inv,
    "det": linalg.det,
    "eigh": lambda x: linalg.eigh(_definite(x)),
    "qr": linalg.qr,
    "svd": linalg.svd,
    "solve": lambda x: linalg.solve(x, tf.transpose(x)),
    "lstsq": lambda x: linalg.lstsq(x, x[:, :2] * x[:, 1:3]),
}
GRADIENTS = {
    "igamma": lambda x: tf.math.igamma(tf.abs(x) + 0.5, tf.abs(x) + 1),
    "segment_max": lambda x: tf.math.segment_max(x, tf.range(len(x)) // 3),
    "unsorted_segment_prod": lambda x: tf.math.unsorted_segment_prod(x, tf.range(len(x)) % 3, 3),
    "crelu": tf.nn.crelu,
    "reverse_sequence": lambda x: tf.reverse_sequence(x, tf.range(len(x)) % 7, 1),
}
POOLS = {
    "fractional_avg_pool": lambda x: tf.nn.fractional_avg_pool(x, [1, 1.5, 1.3, 1], seed=7)[0],
    "fractional_max_pool": lambda x: tf.nn.fractional_max_pool(x, [1, 1.5, 1.3, 1], seed=7)[0],
    "crop_and_resize": lambda x: tf.image.crop_and_resize(
        x, [[0.1, 0.2, 0.8, 0.9]] * 2, [0, 1], [7, 9]
    ),
    "scale_and_translate": lambda x: tf.image.resize(x, (13, 9), "lanczos3", antialias=True),
    "mirror_pad": lambda x: tf.pad(x, [[0, 0], [2, 1], [1, 2], [0, 0]], "SYMMETRIC"),
}
SOUNDS = {
    "audio_spectrogram": lambda x: raw.AudioSpectrogram(input=x, window_size=24, stride=9),
    "mfcc": lambda x: raw.Mfcc(
        spectrogram=raw.AudioSpectrogram(
            input=x, window_size=64, stride=16, magnitude_squared=True
        ),
        sample_rate=16000,
        upper_frequency_limit=7000,
    ),
}
SPECTRA = {"fft3d": signal.fft3d, "ifft3d": signal.ifft3d}
CELLS = {
    "BlockLSTMV2": lambda x, w: raw.BlockLSTMV2(
        seq_len_max=tf.cast(len(x), "int64"),
        x=x,
        cs_prev=x[0, :, :4],
        h_prev=x[0, :, 1:5],
        w=w[:, :16],
        wci=w[0, :4],
        wcf=w[1, :4],
        wco=w[2, :4],
        b=w[3, :16],
    ),
    "GRUBlockCell": lambda x, w: raw.GRUBlockCell(
        x=x[0], h_prev=x[0, :, :4], w_ru=w[:, :8], w_c=w[:, :4], b_ru=w[0, :8], b_c=w[1, :4]
    ),
}
CELL_SIZES: tuple[Shapes, ...] = (((5, 2, 6), (10, 16)), ((20, 8, 96), (100, 16)))
NUMBERS = {
    "linspace": lambda x: tf.linspace(x[0], x[1], 1000),
    "random_gamma_grad": lambda x: raw.RandomGammaGrad(alpha=tf.abs(x) + 0.5, sample=tf.abs(x) + 1),
    "sobol": lambda x: tf.math.sobol_sample(3, len(x), dtype=x.dtype),
    "nth_element": lambda x: raw.NthElement(input=x, n=5),
}


def cases() -> Iterator[Case]:
    """Yield the rows."""
    squares: tuple[Shapes, ...] = (((5, 5),), ((24, 24),), ((100, 100),))
    for functions, sizes in (
        (DECOMPOSITIONS, squares),
        (GRADIENTS, (((7, 13),), ((64, 300),))),
        (POOLS, (((2, 8, 8, 3),), ((2, 40, 56, 3),))),
    ):
        named = {f"{name} + gradient": with_gradients(one) for name, one in functions.items()}
        yield from rows(named, sizes, WIDE)
    yield from rows(SOUNDS, (((200, 1),), ((4000, 2),)), ("float32",))
    yield from rows(SPECTRA, (((3, 4, 5),), ((8, 12, 16),)), tuple(PARTS))
    yield from rows(CELLS, CELL_SIZES, ("float16", "float32"))
    yield from rows(NUMBERS, (((13,),), ((2000,),)), WIDE)
