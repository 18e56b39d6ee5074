"""Which Python functions follow from their arguments, and from Python's and NumPy's random numbers.

Determinism has tf.data call a Python function for one element after the other, and takes all
parallelism and prefetching from the pipeline, since a function may keep anything from call to call.
One that provably does not needs none of that. Whatever is not known here to be harmless is taken
for harmful: other libraries, objects with attributes, lists and arrays that a caller may change.
"""

import builtins
import dis
import random
import sys
from collections.abc import Iterator
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_CONSTANTS = (bool, int, float, complex, str, bytes, range, type(None), type(...))
_BUILTINS = _words(
    "abs all any bool bytes complex dict divmod enumerate filter float frozenset int isinstance "
    "issubclass len list map max min next iter object pow range reversed round set slice sorted "
    "str sum tuple type zip ArithmeticError AssertionError Exception IndexError KeyError "
    "RuntimeError TypeError ValueError ZeroDivisionError"
)
_MODULES = frozenset(("math", "cmath", "operator", "string"))
# What changes names beyond the function, or looks for what is not named in it.
_OPERATIONS = _words(
    "STORE_GLOBAL DELETE_GLOBAL STORE_ATTR DELETE_ATTR STORE_NAME DELETE_NAME LOAD_NAME "
    "IMPORT_NAME IMPORT_STAR LOAD_BUILD_CLASS LOAD_CLASSDEREF"
)
_CLOSURE_OPERATIONS = frozenset(("STORE_DEREF", "DELETE_DEREF"))
# Attributes by which one can change or leave what lasts: of NumPy, of arrays, and of functions.
_ATTRIBUTES = _words(
    "ctypeslib f2py fromfile fromregex genfromtxt load loadtxt memmap open_memmap put save savetxt "
    "savez savez_compressed set_printoptions set_state setbufsize seterr seterrcall setflags "
    "setstate testing tofile"
)
# Methods of the global generators that do not draw.
_NOT_DRAWING = _words("seed getstate setstate get_state set_state get_bit_generator")


def _drawing(generator: type) -> frozenset[str]:
    """Return the methods of a class of generators that draw."""
    return frozenset(
        name for name in dir(generator) if not name.startswith("_") and name not in _NOT_DRAWING
    )


OF_RANDOM = _drawing(random.Random)


class ImpureError(Exception):
    """A function may do more than follow from its arguments; the text says why."""


class Examined:
    """What the functions that one calls refer to.

    Attributes:
        libraries: those whose global generators they draw from: "random", "numpy".
    """

    def __init__(self, function: FunctionType) -> None:
        """Raise ImpureError if `function`, or one that it calls, may keep anything it has seen."""
        self.libraries: set[str] = set()
        self._seen: set[int] = set()
        self._numpy = sys.modules.get("numpy")
        self._used: set[str] = set()
        self._function(function)
        if {"numpy", ".random"} <= self._used:
            self.libraries.add("numpy")

    def _function(self, function: FunctionType) -> None:
        if id(function) in self._seen:
            return
        self._seen.add(id(function))
        for cell in function.__closure__ or ():
            try:
                self._value(cell.cell_contents)
            except ValueError:
                raise ImpureError("a variable of the function around it has no value yet") from None
        for default in (*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()):
            self._value(default)
        own = frozenset(function.__code__.co_freevars)
        for code in _codes(function.__code__):
            self._code(code, function.__globals__, own)

    def _code(self, code: CodeType, names: dict[str, Any], closure: frozenset[str]) -> None:
        used, attributes = [], set()
        for step in dis.get_instructions(code):
            if step.opname in _OPERATIONS or (
                step.opname in _CLOSURE_OPERATIONS and step.argval in closure
            ):
                raise ImpureError(f"it changes names beyond it ({step.opname} {step.argval})")
            if step.opname == "LOAD_GLOBAL":
                used.append(step.argval)
            elif step.opname in ("LOAD_ATTR", "LOAD_METHOD"):
                attributes.add(step.argval)
        self._attributes(attributes)
        for name in used:
            self._global(name, names)

    def _attributes(self, names: set[str]) -> None:
        harmful = {name for name in names if name in _ATTRIBUTES or name.startswith("__")}
        harmful |= names & _NOT_DRAWING
        harmful |= names & (frozenset(dir(random)) - OF_RANDOM - {"random"})
        if self._numpy is not None:
            of_numpy = frozenset(dir(self._numpy.random)) - of_numpy_random() - {"random"}
            harmful |= {name for name in names & of_numpy if not hasattr(self._numpy, name)}
            if "random" in names:  # np.random, as likely as not
                self._used.add(".random")
        if harmful:
            raise ImpureError(f"it uses .{min(harmful)}")

    def _global(self, name: str, names: dict[str, Any]) -> None:
        if name in names:
            self._value(names[name], name)
        elif name not in _BUILTINS:
            raise ImpureError(f"it uses {name}")

    def _value(self, value: Any, name: str = "") -> None:
        if isinstance(value, FunctionType) and not _is_of_numpy(value):
            self._function(value)
        elif type(value) in (tuple, frozenset):
            for part in value:
                self._value(part)
        elif not (
            isinstance(value, _CONSTANTS)
            or self._is_module(value)
            or self._is_method_of_a_generator(value)
            or self._is_harmless(value)
        ):
            raise ImpureError(f"it uses {name or value!r}, of {type(value).__name__}")

    def _is_module(self, value: Any) -> bool:
        if not isinstance(value, ModuleType):
            return False
        name = value.__name__
        library = {"random": "random", "numpy.random": "numpy"}.get(name)
        if library:
            self.libraries.add(library)
        self._used.add(name)
        return bool(library) or name in _MODULES or name in ("numpy", "numpy.linalg", "numpy.fft")

    def _is_method_of_a_generator(self, value: Any) -> bool:
        owner = getattr(value, "__self__", None)
        if owner is None or not isinstance(value, BuiltinFunctionType | MethodType):
            return False
        library = library_of(owner)
        if library is None or value.__name__ in _NOT_DRAWING:
            return False
        self.libraries.add(library)
        return True

    def _is_harmless(self, value: Any) -> bool:
        if isinstance(value, type):
            return (value.__module__ == "numpy" and value.__name__ not in _ATTRIBUTES) or (
                value.__name__ in _BUILTINS and getattr(builtins, value.__name__) is value
            )
        if isinstance(value, BuiltinFunctionType):
            return value.__module__ in _MODULES or (
                value.__module__ == "builtins" and value.__name__ in _BUILTINS
            )
        if self._numpy is None:
            return False
        if isinstance(value, self._numpy.ndarray):
            return not value.flags.writeable
        return isinstance(value, self._numpy.generic | self._numpy.dtype | self._numpy.ufunc) or (
            _is_of_numpy(value) and getattr(value, "__name__", "") not in _ATTRIBUTES
        )


def library_of(generator: Any) -> "str | None":
    """Return whose global generator it is, if it is one."""
    if generator is random._inst:
        return "random"
    numpy = sys.modules.get("numpy")
    return "numpy" if numpy is not None and generator is numpy.random.mtrand._rand else None


def of_numpy_random() -> frozenset[str]:
    """Return the functions of numpy.random that draw."""
    drawing = _drawing(sys.modules["numpy"].random.RandomState)
    return drawing | {"default_rng", "ranf", "sample"}


def _is_of_numpy(value: Any) -> bool:
    module = getattr(value, "__module__", None) or ""
    return module.partition(".")[0] == "numpy" and not module.startswith("numpy.random")


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)
