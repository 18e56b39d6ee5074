"""tf.data and mixed precision: what strict mode turns back, and what it leaves alone."""

import tensorflow as tf

numbers = tf.data.Dataset.range(8)
fast = numbers.map(lambda n: n + 1, num_parallel_calls=tf.data.AUTOTUNE)  # turned back
fast = fast.map(lambda n: n + 1, num_parallel_calls=2)
fast = fast.map(lambda n: n, num_parallel_calls=2, deterministic=False)  # turned back
fast = fast.batch(2, num_parallel_calls=-1)  # turned back
fast = fast.prefetch(tf.data.AUTOTUNE)  # turned back
fast = fast.prefetch(1)
options = tf.data.Options()
options.deterministic = False
fast = fast.with_options(options)  # turned back
print([batch.tolist() for batch in fast.as_numpy_iterator()])
tf.keras.mixed_precision.set_global_policy("mixed_float16")  # turned back
print(tf.keras.mixed_precision.global_policy().name)
