"""NumPy's global generator, and seed() without a seed."""

import numpy as np

print("stream", np.random.rand())
np.random.seed()
print("stream", np.random.rand())
np.random.seed(None)
print("stream", np.random.rand())
print(np.random.permutation(10), np.random.randn(2))
