"""TensorFlow on one processor: what is found in code, and what runs once it is laid over."""
