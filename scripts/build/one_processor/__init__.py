"""What TensorFlow's libraries find of the processor: found at build time, made one at run time."""
