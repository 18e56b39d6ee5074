"""PyTorch: global and own generators, seed() from the system, and a DataLoader's workers."""

import random

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset


class Draws(Dataset):
    """Draws its items with everything that there is."""

    def __len__(self) -> int:
        return 6

    def __getitem__(self, index: int) -> "torch.Tensor":
        return torch.tensor(
            [random.random(), np.random.rand(), np.random.default_rng().random(), torch.rand(1)]
        )


if __name__ == "__main__":
    print("stream", torch.rand(3).tolist())
    print("stream", torch.nn.Linear(3, 2).weight.tolist())
    print("stream", torch.Generator().seed())
    print("stream", torch.seed())
    print("stream", torch.rand(3).tolist())
    for workers in (0, 2):
        for batch in DataLoader(Draws(), batch_size=2, shuffle=True, num_workers=workers):
            print("stream", batch.tolist())
    print("deterministic", torch.are_deterministic_algorithms_enabled())
