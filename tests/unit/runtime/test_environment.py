"""The environment by mode, the processor, and the refused settings."""

from pathlib import Path

import pytest

from tests.unit.runtime.conftest import Interpreter
from tf_repro import environment, settings
from tf_repro.machine import cpu, restart

OURS = {**environment.DETERMINISM, **environment.MACHINE, **environment.MACHINE_AVX2}


@pytest.mark.parametrize("mode", ["deterministic", "strict"])
def test_an_empty_environment_gets_what_the_image_sets(mode: str) -> None:
    environ: dict[str, str] = {}
    environment.apply(settings.Settings(mode), environ)
    assert environ == OURS


def test_mode_seed_leaves_the_slower_kernels_out() -> None:
    environ = dict(OURS)
    environment.apply(settings.Settings("seed"), environ)
    assert environ == {**environment.MACHINE, **environment.MACHINE_AVX2}


def test_mode_off_takes_out_what_the_image_put_in_and_nothing_else() -> None:
    environ = {**OURS, "TF_NUM_INTRAOP_THREADS": "3", "HOME": "/"}
    environment.apply(settings.Settings("off"), environ)
    assert environ.pop(environment.LEFT_OFF) == environment.OF_OFF
    assert environ == {"TF_NUM_INTRAOP_THREADS": "3", "HOME": "/"}


def test_reach_machine_takes_out_what_is_fixed_for_other_machines() -> None:
    machine = settings.Settings(reach="machine")
    environ = {**OURS, "OMP_NUM_THREADS": "3"}
    environment.apply(machine, environ)
    assert environ == {
        **environment.DETERMINISM,
        "OMP_NUM_THREADS": "3",
        environment.LEFT_OFF: environment.OF_MACHINE,
    }
    # What a parent gives its child after that stays, though it equals the image's.
    environ["OPENBLAS_NUM_THREADS"] = "1"
    environment.apply(machine, environ)
    assert environ["OPENBLAS_NUM_THREADS"] == "1"


def test_a_child_may_have_another_reach_or_mode_than_its_parent() -> None:
    environ = dict(OURS)
    environment.apply(settings.Settings(reach="machine"), environ)
    environment.apply(settings.Settings(), environ)
    assert environ == OURS
    environment.apply(settings.Settings(reach="machine"), environ)
    environment.apply(settings.Settings("off"), environ)
    assert environ == {environment.LEFT_OFF: environment.OF_OFF}


def test_the_users_own_machine_settings_stay() -> None:
    environ = {"OPENBLAS_NUM_THREADS": "4"}
    environment.apply(settings.Settings(), environ)
    assert environ["OPENBLAS_NUM_THREADS"] == "4"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TF_DETERMINISTIC_OPS", "0"),
        ("TF_DETERMINISTIC_OPS", "yes"),
        ("TF_DISABLE_SEGMENT_REDUCTION_OP_DETERMINISM_EXCEPTIONS", "1"),
        ("TF_DISABLE_SCATTER_OP_DETERMINISM", "1"),
        ("TF_CUDNN_USE_AUTOTUNE", "0"),
    ],
)
def test_what_weakens_determinism_is_refused(python: Interpreter, name: str, value: str) -> None:
    for mode in ("deterministic", "strict"):
        run = python("-c", "print('ran')", env={name: value, "TF_REPRO": mode})
        assert (run.returncode, run.stdout) == (78, "")
        assert run.stderr.startswith(f"tf-repro: {name}={value} works against TF_REPRO={mode}")
        assert run.stderr.count("\n") == 1
    for mode in ("seed", "off"):
        assert python("-c", "print('ran')", env={name: value, "TF_REPRO": mode}).stdout == "ran\n"


def cpuinfo(folder: Path, flags: str) -> str:
    file = folder / "cpuinfo"
    file.write_text(f"processor\t: 0\nmodel name\t: x\nflags\t\t: {flags}\nbugs\t\t:\n\n" * 400)
    return str(file)


def test_reads_the_first_processors_flags(tmp_path: Path) -> None:
    assert cpu.flags(cpuinfo(tmp_path, "sse avx2")) == {"sse", "avx2"}
    assert cpu.flags(str(tmp_path / "none")) == frozenset()


def test_what_is_lacking_is_known_only_where_there_are_flags() -> None:
    assert cpu.lacking(frozenset({"sse"})) == "AVX2"
    assert cpu.lacking(frozenset({"avx2"})) == "FMA"
    assert cpu.lacking(frozenset({"avx2", "fma"})) == ""
    assert cpu.lacking(frozenset()) == ""  # another architecture


def test_numpy_is_brought_down_to_avx2() -> None:
    assert cpu.numpy_features_to_disable(frozenset({"avx2"})) == ""
    skylake = frozenset({"avx2", *cpu.NUMPY_AVX512["AVX512_SKX"]})
    named = cpu.numpy_features_to_disable(skylake).split()
    assert named == ["AVX512F", "AVX512CD", "AVX512_SKX", "X86_V4"]


@pytest.mark.parametrize(
    ("flags", "lacks"),
    [("sse4_2 avx", "AVX2"), ("sse4_2 avx avx2", "FMA"), ("avx2 fma avx512f", "")],
)
def test_the_processor_is_looked_at_as_numpy_is_imported(
    python: Interpreter, tmp_path: Path, flags: str, lacks: str
) -> None:
    folder = tmp_path / "lib" / "numpy"
    folder.mkdir(parents=True)
    names = ("OPENBLAS_CORETYPE", "NPY_DISABLE_CPU_FEATURES")
    # NumPy 1.24 warns of a name that it does not know.
    code = (
        "import os, warnings; print(*[os.environ.get(n) for n in {!r}])\n"
        f"if {names[1]!r} in os.environ:\n"
        f'    warnings.warn("During parsing environment variable {names[1]!r}:", RuntimeWarning)\n'
    )
    (folder / "__init__.py").write_text(code.format(names))
    arranged = (
        "from tf_repro.machine import cpu; "
        f"cpu.flags.__defaults__ = ({cpuinfo(tmp_path, flags)!r},); import numpy"
    )
    run = python("-c", arranged, before=[folder.parent])
    if not lacks:
        assert (run.stderr, run.stdout) == ("", "Haswell AVX512F\n")
    else:
        assert run.stdout == "None None\n"
        assert run.stderr.startswith(f"tf-repro: this processor has no {lacks}")
        assert run.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("-R x.py", True),
        ("-uR -c code", True),
        ("-W error -R x.py", True),
        ("-Xdev -R", True),
        ("--check-hash-based-pycs always -R x", True),
        ("x.py -R", False),
        ("-c code -R", False),
        ("-WR x.py", False),
        ("-X R x.py", False),
        ("-m mod -R", False),
        ("-", False),
        ("", False),
    ],
)
def test_a_command_line_that_asks_for_random_hashes(given: str, *, expected: bool) -> None:
    assert restart.asks_for_random_hashes(["python", *given.split()]) == expected


HASHES = "import os, sys; print(hash('x'), os.environ.get('PYTHONHASHSEED'), sys.argv[1:])"


def test_a_lost_hash_seed_is_found_again(python: Interpreter) -> None:
    kept = python("-c", HASHES, "a", "-b").stdout
    assert python("-c", HASHES, "a", "-b", env={"PYTHONHASHSEED": None}).stdout == kept
    assert "042 ['a', '-b']" in kept


def test_a_script_from_a_pipe_survives_beginning_again(python: Interpreter) -> None:
    env = {"PYTHONHASHSEED": None}
    assert python("-", stdin="print(hash('x'))", env=env).stdout == (
        python("-c", "print(hash('x'))").stdout
    )


@pytest.mark.parametrize("mode", ["deterministic", "off"])
@pytest.mark.parametrize("seed", ["42", "7", "0", "random", ""])
def test_a_hash_seed_that_somebody_chose_stays(python: Interpreter, mode: str, seed: str) -> None:
    env = {"PYTHONHASHSEED": seed, "TF_REPRO": mode}
    runs = [python("-c", HASHES, env=env).stdout for _ in range(2)]
    assert all(run.split(" ", 1)[1] == f"{seed} []\n" for run in runs)
    assert len(set(runs)) == (1 if seed.isdigit() else 2)


def test_mode_off_has_random_hashes_again(python: Interpreter) -> None:
    runs = {python("-c", HASHES, env={"TF_REPRO": "off"}).stdout for _ in range(2)}
    assert len(runs) == 2
    assert all(" None " in run for run in runs)


def test_the_image_writes_the_hash_seed_so_that_it_is_known_for_ours(python: Interpreter) -> None:
    ours = environment.our_hash_seed(settings.DEFAULT_SEED)
    assert ours == "042"
    hashes = {
        python("-S", "-c", "print(hash('x'))", env={"PYTHONHASHSEED": one}).stdout
        for one in ("42", ours)
    }
    assert len(hashes) == 1
    assert environment.is_our_hash_seed(ours)
    assert not any(map(environment.is_our_hash_seed, (None, "", "0", "7", "42", "random")))


def test_what_a_program_in_mode_off_gives_its_children_is_theirs(python: Interpreter) -> None:
    names = "OPENBLAS_NUM_THREADS", "PYTHONHASHSEED"
    show = f"import os; print(*map(os.environ.get, {names}), flush=True)"
    code = f"""{show}
import subprocess, sys
own = {{"OPENBLAS_NUM_THREADS": "1", "PYTHONHASHSEED": "42"}}
for given in ({{}}, own, {{"TF_REPRO": "seed"}}):
    subprocess.run([sys.executable, "-c", {show!r}], env=os.environ | given)
"""
    run = python("-c", code, env={"TF_REPRO": "off", "OPENBLAS_NUM_THREADS": "1"})
    assert run.stdout.splitlines() == ["None None", "None None", "1 42", "1 042"]


def test_nothing_begins_again_once_a_program_runs(python: Interpreter) -> None:
    code = "print('once'); import tf_repro.start as s; s.once()"
    run = python("-S", "-c", code, env={"PYTHONHASHSEED": None})
    assert (run.stderr, run.stdout) == ("", "once\n")


def test_no_trace_of_beginning_again_is_left(python: Interpreter) -> None:
    code = "import os; print([n for n in os.environ if n.startswith('TF_REPRO_')])"
    run = python("-c", code, env={"PYTHONHASHSEED": None})
    assert run.stdout == "['TF_REPRO_SEED']\n"


def test_addresses_are_fixed_where_the_kernel_allows_it(python: Interpreter) -> None:
    code = "print(id(object()))"
    assert len({python("-c", code, env={"TF_REPRO_ASLR": "on"}).stdout for _ in range(3)}) == 3
    asked = {python("-c", code, env={"TF_REPRO_ASLR": "off"}).stdout for _ in range(3)}
    allowed = (
        python(
            "-c",
            "from tf_repro.machine import restart as r; print(r.personality())",
            env={"TF_REPRO_ASLR": "off"},
        ).stdout.strip()
        != "0"
    )
    assert len(asked) == (1 if allowed else 3)


@pytest.mark.parametrize(
    ("asked", "seen"),
    [({"TF_REPRO_SEED": "7"}, "7 deterministic"), ({"TF_REPRO": "off"}, "42 off")],
)
def test_a_child_with_an_empty_environment_belongs_to_the_same_run(
    python: Interpreter, asked: dict[str, str], seen: str
) -> None:
    grandchild = (
        "import sys; sys.path.insert(0, {path!r}); from tf_repro import settings, start; "
        "start.once(); print(settings.current.seed, settings.current.mode)"
    )
    code = (
        "import subprocess, sys; import tf_repro; from pathlib import Path; "
        f"code = {grandchild!r}.format(path=str(Path(tf_repro.__file__).parents[1])); "
        "subprocess.run([sys.executable, '-c', code], env={})"
    )
    run = python("-c", code, env=asked)
    assert (run.stderr, run.stdout) == ("", f"{seen}\n")
