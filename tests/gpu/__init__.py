"""The GPU proof: the programs, run on GPUs here and on CPUs in tests/image."""
