class Optimizer:
    """Keras 2."""

    def apply_gradients(self, grads_and_vars):
        for gradient, variable in grads_and_vars:
            if gradient is not None:
                variable.assign(variable - gradient * 0.1)
        return "iterations"
