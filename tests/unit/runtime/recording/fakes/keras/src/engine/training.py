import tensorflow as tf

from keras.src.callbacks import CallbackList


class Model:
    """One weight a column; the loss is the mean of what it is apart from the truth."""

    jit_compile = False

    def __init__(self, optimizer, columns=2, name="model"):
        self.name, self.optimizer = name, optimizer
        self.weights = [tf.Variable([1.0] * columns, "dense/kernel:0")]

    def train_step(self, data):
        x, y = data
        with tf.GradientTape() as tape:
            loss = tf.Tensor(((x * self.weights[0].value).sum(1) - y).mean())
        gradients = tape.gradient(loss, self.weights)
        self.optimizer.apply_gradients(zip(gradients, self.weights, strict=True))
        return {"loss": loss}

    def make_train_function(self):
        return self.train_step

    def fit(self, x, y, batch=4, epochs=1, callbacks=(), extra=None):
        step = self.make_train_function()
        followers = CallbackList(callbacks)
        for epoch in range(epochs):
            for at in range(0, len(x), batch):
                logs = step((x[at : at + batch], y[at : at + batch]))
            numbers = {"loss": float(logs["loss"].numpy()), **(extra or {})}
            followers.on_epoch_end(epoch, numbers)
