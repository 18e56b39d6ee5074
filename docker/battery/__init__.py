"""The program that runs in an image: what it computes, and the digests of that."""
