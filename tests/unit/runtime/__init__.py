"""Tests of the runtime, with fake libraries in place of TensorFlow."""
