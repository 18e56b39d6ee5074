"""A loop that draws with torch, by its global generator and one of its own; KILL=<step> ends it."""

import hashlib
import os
import sys

import tensorflow as tf
import torch

step, weights = tf.Variable(0, dtype=tf.int64), tf.Variable(tf.zeros([4]))
checkpoint = tf.train.Checkpoint(step=step, weights=weights)
manager = tf.train.CheckpointManager(checkpoint, "/tmp/backup", max_to_keep=2)
manager.restore_or_initialize()
own, dropout = torch.Generator(), torch.nn.Dropout(0.5)
own.manual_seed(5)
while int(step) < 50:
    drawn = torch.rand(4) + dropout(torch.ones(4)) + torch.rand(4, generator=own)
    weights.assign_add(drawn.numpy())
    step.assign_add(1)
    print("E", int(step), weights.numpy().tobytes().hex())
    sys.stdout.flush()
    if int(step) == int(os.environ.get("KILL", "0")):
        os.kill(os.getpid(), 9)
    if int(step) % 4 == 0:
        manager.save()
print("R", hashlib.sha256(weights.numpy().tobytes()).hexdigest()[:16])
