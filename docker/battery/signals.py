"""Signals, images and what is drawn from a counter."""

from collections.abc import Iterator
from typing import Any

import tensorflow as tf

from .case import Case, Shapes, rows
from .exact import PARTS, REAL, WIDE

signal, image, drawn = tf.signal, tf.image, tf.random
COMPLEX_FOURIER = {name: getattr(signal, name) for name in ("fft", "ifft", "fft2d", "ifft2d")}
SIGNALS = {
    "rfft": signal.rfft,
    "rfft2d": signal.rfft2d,
    "irfft": lambda x: signal.irfft(tf.complex(x, x)),
    "dct": signal.dct,
    "idct": signal.idct,
    "stft": lambda x: signal.stft(x, 12, 5),
    "inverse_stft": lambda x: signal.inverse_stft(signal.stft(x, 12, 5), 12, 5),
    "mdct": lambda x: signal.mdct(x, 8),
    "mfccs": lambda x: signal.mfccs_from_log_mel_spectrograms(x[..., :40]),
    "mel": lambda x: signal.linear_to_mel_weight_matrix(20, x.shape[-1], dtype=x.dtype),
    "frame": lambda x: signal.overlap_and_add(signal.frame(x, 12, 5), 5),
    "hann": lambda x: signal.hann_window(x.shape[-1], dtype=x.dtype),
    "hamming": lambda x: signal.hamming_window(x.shape[-1], dtype=x.dtype),
    "kaiser": lambda x: signal.kaiser_window(x.shape[-1], dtype=x.dtype),
}
SIGNAL_SIZES: tuple[Shapes, ...] = (((4, 48),), ((6, 100),), ((16, 1024),))
METHODS = ("bilinear", "lanczos3", "lanczos5", "bicubic", "gaussian", "area", "mitchellcubic")
BOXES = [[0.1, 0.2, 0.8, 0.9], [0.3, 0.0, 1.0, 0.5]]


def _codes(x: Any) -> Any:
    return tf.cast(x * 63, tf.uint8)


IMAGES = {
    **{f"resize {method}": lambda x, m=method: image.resize(x, (13, 21), m) for method in METHODS},
    "resize antialias": lambda x: image.resize(x, (5, 4), antialias=True),
    "crop_and_resize": lambda x: image.crop_and_resize(x, BOXES, [0, 1], [7, 9]),
    "rgb_to_hsv": image.rgb_to_hsv,
    "hsv_to_rgb": lambda x: image.hsv_to_rgb(x / 4),
    "rgb_to_grayscale": image.rgb_to_grayscale,
    "rgb_to_yiq": image.rgb_to_yiq,
    "rgb_to_yuv": image.rgb_to_yuv,
    "yuv_to_rgb": image.yuv_to_rgb,
    "adjust_brightness": lambda x: image.adjust_brightness(x, 0.3),
    "adjust_contrast": lambda x: image.adjust_contrast(x, 1.7),
    "adjust_gamma": lambda x: image.adjust_gamma(x, 1.7, 0.8),
    "adjust_hue": lambda x: image.adjust_hue(x / 4, 0.2),
    "adjust_saturation": lambda x: image.adjust_saturation(x / 4, 1.7),
    "per_image_standardization": image.per_image_standardization,
    "sobel_edges": image.sobel_edges,
    "image_gradients": image.image_gradients,
    "total_variation": image.total_variation,
    "psnr": lambda x: image.psnr(x, x[::-1], 4),
    "ssim": lambda x: image.ssim(x, x[::-1], 4, filter_size=5),
    "extract_patches": lambda x: image.extract_patches(
        x, [1, 3, 3, 1], [1, 2, 2, 1], [1] * 4, "SAME"
    ),
    "draw_bounding_boxes": lambda x: image.draw_bounding_boxes(
        x, tf.constant([BOXES] * 2), tf.constant([[1.0, 0, 0]])
    ),
    "projective transform": lambda x: tf.raw_ops.ImageProjectiveTransformV3(
        images=x,
        transforms=[[1.25, 0.125, 1, -0.25, 1, 2, 0.001, 0.002]],
        output_shape=[9, 8],
        fill_value=0.0,
        interpolation="BILINEAR",
    ),
    "non_max_suppression": lambda x: image.non_max_suppression(
        tf.reshape(x, [-1, 4]), tf.reshape(x, [-1, 4])[:, 0], 5
    ),
    "encode and decode JPEG": lambda x: image.decode_jpeg(image.encode_jpeg(_codes(x[0]))),
    "decode JPEG, accurate": lambda x: image.decode_jpeg(
        image.encode_jpeg(_codes(x[0])), dct_method="INTEGER_ACCURATE"
    ),
    "encode and decode PNG": lambda x: image.decode_png(image.encode_png(_codes(x[0]))),
    "convert_image_dtype": lambda x: image.convert_image_dtype(_codes(x), x.dtype),
}
IMAGE_SIZES: tuple[Shapes, ...] = (((2, 8, 8, 3),), ((2, 40, 56, 3),))
SEED = (1, 2)
# The numbers are those of a counter; what makes them normal or gamma is arithmetic.
DRAWS = {
    "stateless_uniform": lambda x: drawn.stateless_uniform(x.shape, SEED, dtype=x.dtype),
    "stateless_normal": lambda x: drawn.stateless_normal(x.shape, SEED, dtype=x.dtype),
    "stateless_truncated_normal": lambda x: drawn.stateless_truncated_normal(
        x.shape, SEED, dtype=x.dtype
    ),
    "stateless_gamma": lambda x: drawn.stateless_gamma(x.shape, SEED, 2.0, dtype=x.dtype),
    "stateless_poisson": lambda x: drawn.stateless_poisson(x.shape, SEED, 3.0, dtype=x.dtype),
    "stateless_binomial": lambda x: drawn.stateless_binomial(
        x.shape, SEED, 9.0, 0.3, output_dtype=x.dtype
    ),
    "stateless_categorical": lambda x: drawn.stateless_categorical(x[None, :], 500, SEED),
    "parameterized_truncated_normal": lambda x: drawn.stateless_parameterized_truncated_normal(
        x.shape, SEED, *(tf.cast(one, x.dtype) for one in (0.5, 2, -1, 3))
    ),
    "normal": lambda x: drawn.Generator.from_seed(7).normal(x.shape, dtype=x.dtype),
}


def cases() -> Iterator[Case]:
    """Yield the rows."""
    yield from rows(COMPLEX_FOURIER, (((4, 12),), ((8, 100),), ((16, 1024),)), tuple(PARTS))
    yield from rows(SIGNALS, SIGNAL_SIZES, WIDE)
    yield from rows(IMAGES, IMAGE_SIZES, REAL, "positive")
    yield from rows(DRAWS, (((13,),), ((20_000,),)), REAL)
