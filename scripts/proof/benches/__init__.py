"""Programs that run in the image and time it; standard library only. See `scripts.proof.bench`."""
