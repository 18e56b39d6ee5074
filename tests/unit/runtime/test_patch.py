"""Patching goes one way: around what is there, once, wherever it is bound."""

import ast
import inspect
import pickle
import sys
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.unit.runtime.conftest import RUNTIME
from tf_repro import patch, private_names

LIBRARY = '''
def double(x: int) -> int:
    """Twice."""
    return 2 * x

class Maker:
    def __init__(self, x): self.x = x
    def method(self, y): return self.x + y
    @classmethod
    def made(cls, x): return cls(x)
    @staticmethod
    def static(x): return x

class Child(Maker): pass

randbits = len
'''


@pytest.fixture
def library() -> Iterator[ModuleType]:
    """Return a library of two modules, the second with a copy of a function of the first."""
    one, two = ModuleType("made_up"), ModuleType("made_up.two")
    exec(LIBRARY, vars(one))  # noqa: S102  # the text is above
    vars(two)["copied"] = vars(one)["double"]
    for module in (one, two):
        sys.modules[module.__name__] = module
    yield one
    for module in (one, two):
        del sys.modules[module.__name__]


def plus_one(original: Callable[..., int], *args: Any, **kwargs: Any) -> int:
    return original(*args, **kwargs) + 1


def test_it_goes_around_a_function_and_keeps_its_face(library: ModuleType) -> None:
    patch.around(library, "double")(plus_one)
    assert library.double(3) == 7
    assert (library.double.__name__, library.double.__doc__) == ("double", "Twice.")
    assert str(inspect.signature(library.double)) == "(x: int) -> int"
    assert pickle.loads(pickle.dumps(library.double)) is library.double  # noqa: S301  # our own


def test_it_goes_around_once(library: ModuleType) -> None:
    for _ in range(2):
        patch.around(library, "double")(plus_one)
    assert library.double(3) == 7


def test_two_of_ours_go_around_each_other(library: ModuleType) -> None:
    def times_ten(original: Callable[..., int], x: int) -> int:
        return 10 * original(x)

    for function in (plus_one, times_ten, plus_one):
        patch.around(library, "double")(function)
    assert library.double(3) == 70


def test_a_copy_in_a_library_that_was_imported_before_us_goes_too(library: ModuleType) -> None:
    patch.around(library, "double")(plus_one)
    assert sys.modules["made_up.two"].copied(3) == 7


def test_a_library_that_is_being_imported_is_not_searched(library: ModuleType) -> None:
    class Spec:
        _initializing = True

    library.__spec__ = Spec()  # type: ignore[assignment]  # all that is asked of it
    patch.around(library, "double")(plus_one)
    assert library.double(3) == 7
    assert sys.modules["made_up.two"].copied(3) == 6


def test_methods_of_every_kind(library: ModuleType) -> None:
    patch.around(library, "Maker.method")(plus_one)
    patch.around(library, "Maker.static")(plus_one)

    @patch.around(library, "Maker.made")
    def made(original: Callable[..., Any], cls: type, x: int) -> Any:
        return original(cls, x + 1)

    for maker in (library.Maker, library.Child):
        assert maker(1).method(2) == 4
        assert maker.static(1) == maker(0).static(1) == 2
        assert type(maker.made(1)) is maker
        assert maker.made(1).x == maker(0).made(1).x == 2


def test_an_inherited_method_is_put_around_where_it_is_asked_for(library: ModuleType) -> None:
    patch.around(library, "Child.method")(plus_one)
    assert (library.Child(1).method(2), library.Maker(1).method(2)) == (4, 3)
    patch.around(library, "Maker.static")(plus_one)
    patch.around(library, "Child.static")(plus_one)
    assert library.Child.static(1) == 2


def test_a_value_is_put_in_place_of_another(library: ModuleType) -> None:
    vars(sys.modules["made_up.two"])["also"] = library.randbits
    patch.put(library, "randbits", plus_one)
    assert library.randbits is sys.modules["made_up.two"].also is plus_one


@pytest.mark.parametrize("name", ["gone", "Maker.gone", "Gone.method", "gone.deeper.method"])
def test_a_name_that_is_gone_costs_one_line(
    library: ModuleType, capfd: pytest.CaptureFixture[str], name: str
) -> None:
    vars(library)["__version__"] = "9.9"
    patch.around(library, name)(plus_one)
    patch.put(library, name, plus_one)
    line = f"tf-repro: made_up 9.9 has no made_up.{name}: it is not covered\n"
    assert capfd.readouterr().err == 2 * line
    assert not patch.has(library, name)
    patch.around(library, "double")(plus_one)
    assert library.double(3) == 7


def test_of_a_private_name_that_is_gone_it_says_what_is_not_covered(
    capfd: pytest.CaptureFixture[str],
) -> None:
    patch.around(ModuleType("multiprocessing.pool"), "Pool._map_async")(plus_one)
    said = capfd.readouterr().err
    assert "has no multiprocessing.pool.Pool._map_async: Pool.map and starmap are not" in said
    assert said.startswith("tf-repro: Python 3.")


PATCHING = [
    file
    for folder in ("sources", "recording", "audit")
    for file in sorted((RUNTIME / "tf_repro" / folder).rglob("*.py"))
]
# Modules that their libraries do not document, though no underscore says so.
PRIVATE_MODULES = ("tensorflow.python.", "keras.", "sklearn.utils.", "loky.", "joblib.")
# Of Python, documented; of ours, on objects of others.
OUR_OWN = {"_exit", "_getframe", "train_step", "_tf_repro", "_tf_repro_scope"}


def patched(tree: ast.AST) -> Iterator[str]:
    """Yield the names that a file gives to patch, with a * for what a variable fills in."""
    for node in ast.walk(tree):
        loop = ast.unparse(node.target) if isinstance(node, ast.For) else ""
        constants = [
            one.value
            for one in (ast.walk(node.iter) if isinstance(node, ast.For) else ())
            if isinstance(one, ast.Constant) and isinstance(one.value, str)
        ]
        for call in ast.walk(node) if loop or isinstance(node, ast.Call) else ():
            if not isinstance(call, ast.Call) or ast.unparse(call.func) not in {
                "patch.around",
                "patch.put",
            }:
                continue
            name = call.args[1]
            if isinstance(name, ast.Constant) and call is node:
                yield str(name.value)
            elif isinstance(name, ast.JoinedStr) and call is node:
                yield "".join(
                    str(one.value) if isinstance(one, ast.Constant) else "*" for one in name.values
                )
            elif isinstance(name, ast.Name) and name.id == loop:
                yield from constants


def modules(tree: ast.AST) -> Iterator[str]:
    """Yield the modules that a file waits for."""
    for node in ast.walk(tree):
        if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == "ON_IMPORT":
            if not isinstance(node.value, ast.Dict):  # of a table, whose modules are many
                continue
            yield from (str(ast.literal_eval(key)) for key in node.value.keys if key)


def is_in_table(name: str) -> bool:
    last = name.rpartition(".")[2]
    return any(
        fnmatchcase(one.name, name) or fnmatchcase(name, one.name) or one.name.endswith(f".{last}")
        for one in private_names.NAMES
    )


@pytest.mark.parametrize("file", PATCHING, ids=lambda file: file.relative_to(RUNTIME).as_posix())
def test_every_private_name_is_in_the_table(file: Path) -> None:
    tree = ast.parse(file.read_text())
    waits_for = list(modules(tree))
    names = set(patched(tree))
    if not waits_for or not all(one.startswith(PRIVATE_MODULES) for one in waits_for):
        names = {name for name in names if any(part[:1] == "_" for part in name.split("."))}
        names = {name for name in names if not name.endswith("__")}
    names |= {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and node.attr.startswith("_")
        and not node.attr.endswith("__")
        and ast.unparse(node.value) not in {"self._here", "cls"}
    }
    defined = {
        node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)
    }
    assert {name for name in names - OUR_OWN - defined if not is_in_table(name)} == set()
    known = {one.module for one in private_names.NAMES}
    assert {
        one
        for one in waits_for
        if one.startswith(PRIVATE_MODULES) and patched_in(tree) and one not in known
    } == set()


def patched_in(tree: ast.AST) -> bool:
    return any(True for _ in patched(tree))


def test_nothing_is_bound_to_a_library_or_to_us_in_another_way() -> None:
    """Settings of a library are none of its functions: they may be set."""
    settings = {"deterministic", "benchmark", "seed"}
    found = [
        f"{file.name}: {ast.unparse(target)}"
        for file in PATCHING
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Attribute)
        and target.attr not in settings
        and ast.unparse(target.value).partition(".")[0] in {"module", "os", "streams"}
        and not ast.unparse(target).startswith("streams.state.")
    ]
    assert found == []
