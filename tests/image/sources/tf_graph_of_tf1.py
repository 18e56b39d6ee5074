"""Graphs of the TF 1 kind, which tf.random.set_seed does not reach."""

import tensorflow as tf

for _ in range(2):
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        print(session.run([tf.random.normal([2]), tf.random.uniform([2])]))
tf.compat.v1.disable_eager_execution()
with tf.compat.v1.Session() as session:
    weights = tf.compat.v1.get_variable("w", [3])
    session.run(tf.compat.v1.global_variables_initializer())
    print(session.run(weights))
