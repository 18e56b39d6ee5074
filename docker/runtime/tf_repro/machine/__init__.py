"""The machine that a run is on, as far as it decides bits: processor, GPU, address space."""
