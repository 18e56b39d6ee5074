"""Generators that start from the system's entropy; they raise under determinism by themselves."""

import tensorflow as tf

print("stream", tf.random.get_global_generator().normal([2]).numpy())
print("stream", tf.random.get_global_generator().normal([2]).numpy())
for _ in range(2):
    generator = tf.random.Generator.from_non_deterministic_state()
    print("stream", generator.normal([2]).numpy())
