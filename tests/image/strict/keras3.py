"""Keras 3: a PyDataset with workers."""

import keras
import numpy as np


class Batches(keras.utils.PyDataset):
    """Three batches of noise."""

    def __len__(self):
        return 3

    def __getitem__(self, index):
        return np.random.rand(4, 2), np.random.rand(4, 1)


model = keras.Sequential([keras.layers.Dense(1)])
model.compile("sgd", "mse")
model.fit(Batches(), verbose=0, shuffle=False)
model.fit(Batches(workers=4, use_multiprocessing=True), verbose=0)  # turned back
