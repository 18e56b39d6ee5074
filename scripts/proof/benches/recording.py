"""What recording adds to a step of a ResNet-50-sized Keras model at batch 16, as a ratio.

Runs inside the container (`make bench-verify`). Steps with the recorder and without it take turns
in one process, on the same model and batch, so that a busy machine slows both.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time

# What a user will hardly notice: 3 % of a step.
LIMIT = 1.03
BATCH, PIXELS, STEPS, WARM_UP = 16, 224, 6, 2


def main() -> int:
    """Print the time of a step on both sides; return 1 if the ratio is over its limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=STEPS)
    steps = parser.parse_args().steps
    os.environ["TF_REPRO_RECORD"] = tempfile.mkdtemp()
    # The recorder has to be there before TensorFlow is, as under `tf-repro verify`.
    from tf_repro.recording.install import install

    install()
    import numpy as np
    import tensorflow as tf

    from tf_repro.recording import at_hand

    x = np.random.rand(BATCH, PIXELS, PIXELS, 3).astype("float32")
    y = np.random.randint(0, 1000, BATCH)

    def model_of(*, recorded: bool) -> "tf.keras.Model":
        tf.keras.utils.set_random_seed(1)
        model = tf.keras.applications.ResNet50(weights=None)
        model.compile("sgd", "sparse_categorical_crossentropy")
        # As a step under XLA would be left out.
        at_hand.gathered.in_xla = not recorded
        for _ in range(WARM_UP):
            model.train_on_batch(x, y)
        at_hand.gathered.in_xla = False
        return model

    sides = [model_of(recorded=False), model_of(recorded=True)]
    times: list[list[float]] = [[], []]
    for number in range(steps):
        # Each side is first in turn, as a cache or a neighbour may favour one of them.
        for side, model in list(enumerate(sides))[:: 1 if number % 2 else -1]:
            started = time.perf_counter()
            model.train_on_batch(x, y)
            times[side].append((time.perf_counter() - started) * 1000)
    without, ours = (min(side) for side in times)
    ratio = ours / without
    median = statistics.median(b / a for a, b in zip(*times, strict=True))
    print(
        f"a step of ResNet-50, batch {BATCH}: without {without:.0f} ms, with {ours:.0f} ms: "
        f"ratio {ratio:.4f} (median {median:.4f}), limit {LIMIT}{' OVER' if ratio > LIMIT else ''}"
    )
    return int(ratio > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
