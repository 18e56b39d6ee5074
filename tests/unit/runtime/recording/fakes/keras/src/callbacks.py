class Callback:
    def on_epoch_end(self, epoch, logs):
        return None


class CallbackList:
    def __init__(self, callbacks):
        self.callbacks = callbacks

    def on_epoch_end(self, epoch, logs=None):
        for one in self.callbacks:
            one.on_epoch_end(epoch, logs)
