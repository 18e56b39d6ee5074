"""How far the bits reach: the same digests, natively and emulated as other processors."""
