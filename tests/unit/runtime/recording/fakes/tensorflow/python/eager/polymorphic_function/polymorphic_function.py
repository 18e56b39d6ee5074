class Function:
    def __init__(self, python_function, jit_compile):
        self.python_function, self._jit_compile = python_function, jit_compile

    def __call__(self, *args):
        return self.python_function(*args)
