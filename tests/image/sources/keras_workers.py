"""fit() with several workers, threads and processes, and a Sequence that draws."""

import hashlib
import random
import time

import numpy as np
import tensorflow as tf

keras = tf.keras
IS_KERAS_3 = hasattr(keras.utils, "PyDataset")


class Batches(keras.utils.PyDataset if IS_KERAS_3 else keras.utils.Sequence):
    """Draws its batches, after a while that nobody can foretell."""

    def __len__(self) -> int:
        return 8

    def __getitem__(self, index: int) -> "tuple[np.ndarray, np.ndarray]":
        time.sleep(random.SystemRandom().random() / 100)
        return np.random.rand(4, 3).astype("float32"), np.random.default_rng().random((4, 1))


def main() -> None:
    """Train with four threads, then with two processes."""
    for how in ({"workers": 4}, {"workers": 2, "use_multiprocessing": True}):
        model = keras.Sequential([keras.layers.Dense(4), keras.layers.Dense(1)])
        model.compile("sgd", "mse")
        if IS_KERAS_3:
            model.fit(Batches(**how), epochs=2, verbose=0)
        else:
            model.fit(Batches(), epochs=2, verbose=0, **how)
        weights = b"".join(np.asarray(weight).tobytes() for weight in model.get_weights())
        print("stream", hashlib.sha256(weights).hexdigest())


if __name__ == "__main__":
    main()
