"""The recorder: what a training does, step by step, in digests small enough to keep.

It is there only under `tf-repro verify`, which names a folder in TF_REPRO_RECORD. Nothing is asked
of the script: Keras' `fit` and `train_on_batch` and loops written by hand are all seen where they
apply their gradients. The recorder reads tensors and never draws a random number, so that a
training gives the same bits with it and without.
"""
