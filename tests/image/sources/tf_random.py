"""tf.random, tf.image.random_*, and a tf.function that draws."""

import tensorflow as tf

print("stream", tf.random.normal([3]).numpy())
print("stream", tf.random.uniform([3]).numpy())
print("stream", tf.random.shuffle(tf.range(20)).numpy())
image = tf.random.uniform([8, 8, 3])
print("stream", tf.reduce_sum(tf.image.random_brightness(image, 0.5)).numpy())
print("stream", tf.reduce_sum(tf.image.random_crop(image, [4, 4, 3])).numpy())
draw = tf.function(lambda: tf.random.normal([]))
print("stream", draw().numpy())
print("stream", draw().numpy())
