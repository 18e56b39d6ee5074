"""Exports functions that draw, where checkpoints are saved; prints digests of what they draw.

Here, after it was exported, and loaded by an ordinary TensorFlow. GPU=1 has what counts for a GPU.
"""

import hashlib
import os
import subprocess
import sys

import tensorflow as tf


def digest(sample):
    drawn = [one.numpy().tobytes() for _ in range(2) for one in sample(3)]
    return hashlib.sha256(b"".join(drawn)).hexdigest()[:12]


class Module(tf.Module):
    """Draws by all ops that count otherwise where checkpoints are saved."""

    @tf.function(input_signature=[tf.TensorSpec([], tf.int32)])
    def sample(self, n):
        return (
            tf.random.normal([n]),
            tf.random.normal([n], seed=5, dtype=tf.float16),
            tf.random.uniform([n], 0, 10, tf.int32),
            tf.random.uniform(tf.stack([n, 2]), 0, 10, tf.int64),
            tf.random.truncated_normal([n], dtype=tf.float64),
            tf.cond(n > 2, lambda: tf.random.uniform([2]), lambda: tf.zeros([2])),
        )


if len(sys.argv) > 1:
    print("loaded", digest(tf.saved_model.load(sys.argv[1]).sample))
    sys.exit()
if "GPU" in os.environ:
    tf.config.list_logical_devices = lambda kind: [kind]
tf.train.Checkpoint()
module = Module()
print("here", digest(module.sample))
tf.saved_model.save(module, "/tmp/exported")
print("after", digest(module.sample))
sys.stdout.flush()
subprocess.run(
    [sys.executable, __file__, "/tmp/exported"],
    env={**os.environ, "TF_REPRO": "off"},
    check=True,
)
