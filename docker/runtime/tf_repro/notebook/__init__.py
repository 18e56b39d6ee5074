"""A notebook as a program: run from top to bottom, in a fresh kernel, by whoever runs programs."""
