"""PyTorch: worker processes and autocast."""

import torch
from torch.utils.data import DataLoader, TensorDataset

numbers = TensorDataset(torch.arange(8))
print([batch[0].tolist() for batch in DataLoader(numbers, batch_size=4)])
loader = DataLoader(numbers, batch_size=4, num_workers=2, prefetch_factor=4)  # turned back
print([batch[0].tolist() for batch in loader])
with torch.autocast("cpu", dtype=torch.bfloat16):  # turned back
    print((torch.rand(2, 2) @ torch.rand(2, 2)).dtype)
