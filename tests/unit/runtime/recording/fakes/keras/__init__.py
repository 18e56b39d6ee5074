"""As much of Keras 2 and 3 as the recorder takes hold of."""

from keras.src.callbacks import Callback
from keras.src.engine.training import Model
from keras.src.optimizers.base_optimizer import BaseOptimizer
from keras.src.optimizers.optimizer import Optimizer

__all__ = ["BaseOptimizer", "Callback", "Model", "Optimizer"]
