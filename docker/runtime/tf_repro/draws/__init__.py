"""What a draw means in TensorFlow: the same in every run, and never what another one has drawn.

One file for each rule; tf_repro.sources puts them in their places.
"""
