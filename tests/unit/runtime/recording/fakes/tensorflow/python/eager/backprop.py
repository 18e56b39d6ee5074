class GradientTape:
    """Every gradient is the loss, everywhere."""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None

    def gradient(self, target, sources):
        return [one * 0 + target for one in sources]
