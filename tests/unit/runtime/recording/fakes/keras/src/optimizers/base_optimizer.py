class BaseOptimizer:
    """Keras 3."""

    def __init__(self, variables=()):
        self._trainable_variables = list(variables)

    def apply(self, grads, trainable_variables=None):
        for gradient, variable in zip(
            grads, trainable_variables or self._trainable_variables, strict=True
        ):
            variable.assign(variable - gradient * 0.1)
