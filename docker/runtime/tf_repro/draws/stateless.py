"""Which of TensorFlow's ops draw from a state, and how each draws by a key instead; see keys.py."""

import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

from tf_repro import patch
from tf_repro.draws import keys, samplers, seeds

# Generated module of TensorFlow -> its functions that draw from a state.
FUNCTIONS = {
    "gen_random_ops": (
        *("random_uniform", "random_uniform_int", "random_standard_normal", "truncated_normal"),
        *("parameterized_truncated_normal", "random_shuffle", "multinomial", "random_gamma"),
        "random_poisson_v2",
    ),
    "gen_candidate_sampling_ops": ("uniform_candidate_sampler", "log_uniform_candidate_sampler"),
    "gen_image_ops": ("sample_distorted_bounding_box_v2",),
}


def on_generated_ops(module: ModuleType) -> None:
    """Let every op of a generated module that draws from a state draw by its key, if any."""
    for name in FUNCTIONS[module.__name__.rpartition(".")[2]]:
        patch.around(module, name)(_by_key(name))


def _stateless() -> dict[str, Callable[..., Any]]:
    """Return for each of gen_random_ops that draws from a state how to draw the same by a key."""
    tf = sys.modules["tensorflow"]
    raw, random = tf.raw_ops, tf.random

    def beside(shape: Any, parameter: Any) -> Any:
        return tf.concat([shape, tf.shape(parameter, tf.as_dtype(shape.dtype))], 0)

    return {
        "random_uniform": lambda by, shape, dtype: raw.StatelessRandomUniformV2(
            shape=shape, dtype=dtype, **by.philox()
        ),
        "random_uniform_int": lambda by, shape, minval, maxval: raw.StatelessRandomUniformIntV2(
            shape=shape, minval=minval, maxval=maxval, **by.philox()
        ),
        "random_standard_normal": lambda by, shape, dtype: raw.StatelessRandomNormalV2(
            shape=shape, dtype=dtype, **by.philox()
        ),
        "truncated_normal": lambda by, shape, dtype: raw.StatelessTruncatedNormalV2(
            shape=shape, dtype=dtype, **by.philox()
        ),
        "parameterized_truncated_normal": (
            lambda by, shape, means, stdevs, minvals, maxvals: (
                raw.StatelessParameterizedTruncatedNormal(
                    shape=shape,
                    seed=by.seed(),
                    means=means,
                    stddevs=stdevs,
                    minvals=minvals,
                    maxvals=maxvals,
                )
            )
        ),
        "random_shuffle": lambda by, value: raw.StatelessShuffle(value=value, **by.philox()),
        "multinomial": lambda by, logits, num_samples, output_dtype=tf.int64: (
            random.stateless_categorical(logits, num_samples, by.seed(), output_dtype)
        ),
        "random_gamma": lambda by, shape, alpha: raw.StatelessRandomGammaV3(
            shape=beside(shape, alpha), alpha=tf.convert_to_tensor(alpha), **by.philox()
        ),
        "random_poisson_v2": lambda by, shape, rate, dtype=tf.int64: random.stateless_poisson(
            beside(shape, rate), by.seed(), rate, dtype
        ),
        "sample_distorted_bounding_box_v2": lambda by, image_size, bounding_boxes, **given: (
            tf.image.stateless_sample_distorted_bounding_box(
                image_size, bounding_boxes, by.seed(), **given
            )
        ),
        **{
            name: lambda by, *given, name=name: samplers.sampled(name, by.seed(), *given)
            for name in samplers.KINDS
        },
    }


def _by_key(name: str) -> Callable[..., Any]:
    """Return an op that draws by key where its seed is a stream's and there is a key."""

    def op(original: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        seed = kwargs.get("seed2")
        if type(seed) is not seeds.StreamSeed:
            return original(*args, **kwargs)
        tensorflow = sys.modules["tensorflow"]
        graph = tensorflow.compat.v1.get_default_graph()
        if not keys.is_keyed(graph):
            keys.note_draw(graph)
            return original(*args, **kwargs)
        given = {key: kwargs[key] for key in kwargs if key not in {"seed", "seed2", "name"}}
        with tensorflow.name_scope(kwargs.get("name") or name):
            first = tensorflow.convert_to_tensor(args[0])
            return _stateless()[name](keys.Draw(graph, int(seed)), first, *args[1:], **given)

    return op
