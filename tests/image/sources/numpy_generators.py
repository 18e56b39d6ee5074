"""Everything in NumPy that takes the system's entropy when it gets no seed."""

import numpy as np

print("stream", np.random.default_rng().random())
print("stream", np.random.default_rng().random())
print("stream", np.random.RandomState().rand())
print("stream", np.random.SeedSequence().entropy)
for name in ("MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64"):
    print("stream", np.random.Generator(getattr(np.random, name)()).random())
