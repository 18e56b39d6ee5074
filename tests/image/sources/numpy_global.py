"""NumPy's global generator, and seed() without a seed."""

import pickle

import numpy as np

print("stream", np.random.rand())
np.random.seed()
print("stream", np.random.rand())
np.random.seed(None)
print("stream", np.random.rand())
print(np.random.permutation(10), np.random.randn(2))
# As the initialiser of a pool that spawns, say.
assert pickle.loads(pickle.dumps(np.random.seed)) == np.random.seed  # noqa: S301  # our own
