"""The import hook: fires once, after the module, whichever way the module comes to be imported."""

import textwrap
from pathlib import Path

import pytest

from tests.unit.runtime.conftest import Interpreter

ARM = "from tf_repro import hooks; hooks.on_import('pkg', lambda m: print('fired', m.VALUE))\n"


@pytest.fixture
def library(tmp_path: Path) -> Path:
    folder = tmp_path / "lib"
    (folder / "pkg" / "sub").mkdir(parents=True)
    (folder / "pkg" / "__init__.py").write_text("VALUE = 1\nprint('executed')\n")
    (folder / "pkg" / "data.txt").write_text("data")
    (folder / "pkg" / "sub" / "__init__.py").write_text("")
    (folder / "pkg" / "program.py").write_text("import pkg\n")
    return folder


WAYS = {
    "import": ("import pkg", "executed\nfired 1\n"),
    "submodule first": ("import pkg.sub", "executed\nfired 1\n"),
    "twice": ("import pkg; import pkg", "executed\nfired 1\n"),
    "reload": ("import importlib, pkg; importlib.reload(pkg)", "executed\nfired 1\nexecuted\n"),
    "dropped and imported anew": (
        "import sys, pkg; del sys.modules['pkg']; import pkg",
        "executed\nfired 1\nexecuted\n",
    ),
    "find_spec alone": ("import importlib.util as u; u.find_spec('pkg')", ""),
    "find_spec, then import": (
        "import importlib.util as u; u.find_spec('pkg'); import pkg",
        "executed\nfired 1\n",
    ),
    "pkgutil": (
        "import pkgutil; print(pkgutil.get_data('pkg', 'data.txt'))",
        "executed\nfired 1\nb'data'\n",
    ),
    "importlib.resources": (
        "import importlib.resources as r; print(r.files('pkg').joinpath('data.txt').read_text())",
        "executed\nfired 1\ndata\n",
    ),
    "runpy": ("import runpy; runpy.run_module('pkg.program')", "executed\nfired 1\n"),
    "LazyLoader": (
        """
        import importlib.util as u, sys
        spec = u.find_spec('pkg'); spec.loader = u.LazyLoader(spec.loader)
        pkg = u.module_from_spec(spec); sys.modules['pkg'] = pkg
        spec.loader.exec_module(pkg); print('lazy'); pkg.VALUE
        """,
        "lazy\nexecuted\nfired 1\n",
    ),
    "an import that fails, then one that works": (
        """
        import pathlib
        import sys
        file = pathlib.Path(sys.path[-1], 'pkg', '__init__.py')
        good = file.read_text(); file.write_text('raise OSError')
        try:
            import pkg
        except OSError:
            print('failed')
        file.write_text(good + '# another length')
        import importlib; importlib.invalidate_caches()
        import pkg
        """,
        "failed\nexecuted\nfired 1\n",
    ),
    "the loader stays what it was": (
        "import pkg; print(type(pkg.__loader__).__name__, vars(pkg.__loader__).keys() - "
        "{'name', 'path'}, pkg.__spec__.origin == pkg.__file__)",
        "executed\nfired 1\nSourceFileLoader set() True\n",
    ),
}


@pytest.mark.parametrize("way", WAYS)
def test_fires_once_after_the_module(python: Interpreter, library: Path, way: str) -> None:
    code, expected = WAYS[way]
    run = python(
        "-c",
        f"import sys; sys.path.append({str(library)!r})\n{ARM}{textwrap.dedent(code)}",
        env={"PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert (run.stderr, run.stdout) == ("", expected)


def test_fires_now_where_the_module_is_there_already(python: Interpreter, library: Path) -> None:
    run = python("-c", f"import pkg\n{ARM}", after=[library])
    assert (run.stderr, run.stdout) == ("", "executed\nfired 1\n")


def test_one_zipimporter_serves_several_modules(python: Interpreter) -> None:
    code = f"""
import sys, zipfile
with zipfile.ZipFile('z.zip', 'w') as z:
    z.writestr('other.py', "print('other')")
    z.writestr('pkg.py', "import other; VALUE = 2")
sys.path.append('z.zip')
{ARM}
import pkg
"""
    run = python("-c", code)
    assert (run.stderr, run.stdout) == ("", "other\nfired 2\n")


def test_a_hook_that_fails_says_so_and_lets_the_import_succeed(
    python: Interpreter, tmp_path: Path
) -> None:
    folder = tmp_path / "lib"
    (folder / "numpy" / "random").mkdir(parents=True)
    (folder / "numpy" / "__init__.py").write_text("")
    (folder / "numpy" / "random" / "__init__.py").write_text("")  # without a seed function
    run = python("-c", "import numpy.random; print('ok')", before=[folder])
    assert run.stdout == "ok\n"
    assert run.stderr.count("\n") == 1
    assert run.stderr.startswith("tf-repro: numpy.random is not covered: AttributeError")


def test_a_second_hook_runs_after_the_first(python: Interpreter, library: Path) -> None:
    again = "hooks.on_import('pkg', lambda m: print('again', m.VALUE))\n"
    done = python("-c", f"import sys; sys.path.append({str(library)!r})\n{ARM}{again}import pkg")
    assert done.stdout == "executed\nfired 1\nagain 1\n", done.stderr
