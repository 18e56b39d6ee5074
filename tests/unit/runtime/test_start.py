"""The interpreter's start: what it costs in imports, what it arms, and whom it lets run."""

from pathlib import Path

import pytest

from tests.unit.runtime.conftest import RUNTIME, Interpreter

DRAW = "import random; print(random.random(), random.Random().random(), hash('x'))"
SEEDED_42 = "0.6394267984578837"


def test_imports_next_to_nothing(python: Interpreter) -> None:
    code = "import sys; print(*sorted(sys.modules))"
    ours = set(python("-c", code, env={"TF_REPRO_ASLR": "on"}).stdout.split())
    theirs = set(python("-S", "-c", code).stdout.split())
    heavy = {"random", "re", "typing", "dataclasses", "inspect", "hashlib", "ctypes", "functools"}
    assert {name for name in ours - theirs if name.startswith("tf_repro")} == {
        "tf_repro",
        "tf_repro.environment",
        "tf_repro.hooks",
        "tf_repro.resume",
        "tf_repro.settings",
        "tf_repro.sources",
        "tf_repro.start",
    }
    assert not heavy & ours


def test_importing_random_costs_no_heavy_module_more(python: Interpreter) -> None:
    code = "import random, sys; print(*sorted(sys.modules))"
    ours = set(python("-c", code, env={"TF_REPRO_ASLR": "on"}).stdout.split())
    theirs = set(python("-S", "-c", code).stdout.split())
    assert not {"re", "typing", "dataclasses", "inspect", "ctypes"} & (ours - theirs)


def test_every_watched_module_has_a_handler() -> None:
    from tf_repro import sources  # noqa: PLC0415  # not before the fixtures of others

    handlers = {
        name: __import__(f"tf_repro.sources.{source}", fromlist=("x",)).ON_IMPORT
        for name, source in sources.WATCHED.items()
    }
    assert all(name in known for name, known in handlers.items())


def test_the_global_generator_has_the_seed_itself(python: Interpreter) -> None:
    code = "import random; a = random.random(); random.seed(42); print(a, random.random())"
    assert python("-c", code).stdout.split() == [SEEDED_42] * 2


def test_equal_in_every_run_and_other_with_another_seed(python: Interpreter) -> None:
    runs = [python("-c", DRAW).stdout for _ in range(2)]
    assert runs[0] == runs[1]
    other = python("-c", DRAW, env={"TF_REPRO_SEED": "43"}).stdout
    assert not set(other.split()[:2]) & set(runs[0].split())


def test_off_is_an_ordinary_interpreter(python: Interpreter) -> None:
    env = {"TF_REPRO": "off"}
    runs = [python("-c", DRAW, env=env).stdout.split() for _ in range(2)]
    assert runs[0][:2] != runs[1][:2]


@pytest.mark.parametrize(
    ("mode", "given", "seen"),
    [
        ("deterministic", "1", "1"),
        ("deterministic", None, "1"),
        ("strict", None, "1"),
        ("seed", "1", "None"),
        ("off", "1", "None"),
        ("off", "0", "0"),
    ],
)
def test_tensorflow_determinism_follows_the_mode(
    python: Interpreter, mode: str, given: "str | None", seen: str
) -> None:
    code = "import os; print(os.environ.get('TF_DETERMINISTIC_OPS'))"
    run = python("-c", code, env={"TF_REPRO": mode, "TF_DETERMINISTIC_OPS": given})
    assert run.stdout.strip() == seen


def test_unseeded_generators_are_distinct(python: Interpreter) -> None:
    code = """
import random
class Mine(random.Random): pass
draws = [random.Random().random(), random.Random().random(), Mine().random(), random.random()]
random.seed(); draws.append(random.random())
random.seed(None); draws.append(random.random())
print(len(set(draws)), *draws)
"""
    first, second = python("-c", code).stdout, python("-c", code).stdout
    assert first == second
    assert first.split()[0] == "6"


def test_a_script_that_seeds_itself_gets_what_it_asked_for(python: Interpreter) -> None:
    code = "import random; random.seed(7); print(random.random(), random.Random('a').random())"
    assert python("-c", code).stdout == python("-S", "-c", code).stdout != ""


def test_what_must_be_random_stays_so(python: Interpreter) -> None:
    code = """
import os, secrets, uuid, random, tempfile
print(os.urandom(8).hex(), secrets.token_hex(8), uuid.uuid4(), random.SystemRandom().random(),
      os.path.basename(tempfile.mktemp()), next(tempfile._get_candidate_names()))
"""
    first, second = python("-c", code).stdout.split(), python("-c", code).stdout.split()
    assert len(first) == 6
    assert not set(first) & set(second)


@pytest.mark.parametrize("where", ["before", "after"])
def test_the_users_own_sitecustomize_runs_once(
    python: Interpreter, tmp_path: Path, where: str
) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text("print('mine', __name__, __file__)")
    code = "import sys, sitecustomize as s; print(s is sys.modules['sitecustomize'], s.__file__)"
    run = python("-c", code, **{where: [folder]})
    file = folder / "sitecustomize.py"
    assert (run.stderr, run.stdout) == ("", f"mine sitecustomize {file}\nTrue {file}\n")


def test_usercustomize_runs_after_sitecustomize(python: Interpreter, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("print('site')")
    (tmp_path / "usercustomize.py").write_text("print('user')")
    # Called as site calls them: a venv, as the tests may run in, leaves usercustomize out.
    code = "import site; site.execusercustomize()"
    assert python("-c", code, after=[tmp_path]).stdout == "site\nuser\n"


def test_an_error_in_the_users_sitecustomize_is_reported_as_ever(
    python: Interpreter, tmp_path: Path
) -> None:
    (tmp_path / "sitecustomize.py").write_text("raise KeyError('theirs')")
    run = python("-c", "import random; print(random.random())", after=[tmp_path])
    assert run.stdout.strip() == SEEDED_42
    assert run.stderr.startswith("Error in sitecustomize")
    assert "KeyError: 'theirs'" in run.stderr


def test_the_pth_file_covers_for_a_shadowed_sitecustomize(
    python: Interpreter, tmp_path: Path
) -> None:
    (tmp_path / "sitecustomize.py").write_text("")
    line = (RUNTIME.parent / "runtime-site" / "tf_repro.pth").read_text()
    assert line.startswith("import ")
    assert line.count("\n") == 1
    code = f"exec({line!r})\nexec({line!r})\nimport random; print(random.random())"
    shadowed = python("-c", "import random; print(random.random())", before=[tmp_path])
    assert shadowed.stdout.strip() != SEEDED_42
    assert python("-c", code, before=[tmp_path]).stdout.strip() == SEEDED_42


@pytest.mark.parametrize("argv", [["-"], []])
def test_a_script_from_a_pipe(python: Interpreter, argv: list[str]) -> None:
    run = python(*argv, stdin="import random\nprint(random.random())\n")
    assert (run.stderr, run.stdout.strip()) == ("", SEEDED_42)


SET_UP = """
import random
from tf_repro import setup_reproducibility
setup_reproducibility(7)
first = random.random(), random.Random().random()
setup_reproducibility(7)
assert first == (random.random(), random.Random().random())
random.seed(7)
assert first[0] == random.random()
print('ok')
"""


@pytest.mark.parametrize("flags", [[], ["-S"]], ids=["inside", "outside"])
@pytest.mark.parametrize("mode", ["deterministic", "off"])
def test_setup_reproducibility(python: Interpreter, flags: list[str], mode: str) -> None:
    run = python(*flags, "-c", SET_UP, env={"TF_REPRO": mode})
    assert (run.stderr, run.stdout) == ("", "ok\n")


@pytest.mark.parametrize("aslr", ["on", "off", "auto"])
def test_setup_reproducibility_leaves_every_other_setting(python: Interpreter, aslr: str) -> None:
    code = (
        "from tf_repro import settings, setup_reproducibility\n"
        "setup_reproducibility(7)\n"
        "print(settings.current.seed, settings.current.mode, settings.current.aslr)"
    )
    run = python("-c", code, env={"TF_REPRO": "strict", "TF_REPRO_ASLR": aslr})
    assert run.stdout == f"7 strict {aslr}\n"


@pytest.mark.parametrize("seed", ["-1", "2**32", "'42'", "True", "1.0", "None"])
def test_setup_reproducibility_refuses_what_is_no_seed(python: Interpreter, seed: str) -> None:
    code = (
        f"import tf_repro\ntry:\n tf_repro.setup_reproducibility({seed})\nexcept ValueError as e:"
    )
    run = python("-c", f"{code}\n print(e)")
    assert run.stdout.startswith("seed must be a whole number from 0 to 4294967295")


def test_forked_children_draw_streams_of_their_own(python: Interpreter) -> None:
    code = """
import os, random
def child(depth):
    r, w = os.pipe()
    if os.fork() == 0:
        out = f'{random.random()} {random.Random().random()} '
        if depth:
            out += child(depth - 1) + child(depth - 1)
        os.write(w, out.encode())
        os._exit(0)
    os.close(w)
    text = os.read(r, 65536).decode()
    os.wait()
    return text
draws = (child(1) + child(1) + f'{random.random()} {random.Random().random()}').split()
print(len(draws), len(set(draws)), *draws)
"""
    first, second = python("-c", code).stdout, python("-c", code).stdout
    assert first == second
    assert first.split()[:2] == ["14", "14"]
    assert SEEDED_42 in first
