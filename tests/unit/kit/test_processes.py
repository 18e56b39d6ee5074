"""`-v` shows every program that the kit starts, as a shell would take it, and no password."""

from __future__ import annotations

import ast
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import typer.main

from scripts import __main__ as kit
from scripts import command_line, processes
from scripts.places import REPO

# A kit of two verbs, as `scripts` is one of more.
TWO_VERBS = """
from scripts import processes
from scripts.command_line import main, verb

@verb
def one(*, word: str = "two words"):
    processes.run(["true", word, "it's"])
    processes.finish(["false"])
    with processes.start(["true", "$HOME"]):
        pass
    print("done")

@verb
def two():
    pass

main()
"""


def run(folder: Path, *argv: str, **env: str) -> tuple[str, str]:
    """Run one of two verbs; return stdout and stderr."""
    (folder / "two_verbs.py").write_text(TWO_VERBS)
    done = subprocess.run(
        [sys.executable, folder / "two_verbs.py", *argv],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(REPO), **env},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout, done.stderr


@pytest.mark.parametrize("flag", ["-v", "--verbose"])
def test_every_program_is_one_line_on_stderr(flag: str, tmp_path: Path) -> None:
    out, err = run(tmp_path, "one", flag)
    assert out == "done\n"
    assert err.splitlines() == [
        "+ true 'two words' 'it'\"'\"'s'",
        "+ false",
        "+ true '$HOME'",
    ]


def test_make_says_so_with_a_variable(tmp_path: Path) -> None:
    assert run(tmp_path, "one", VERBOSE="1")[1].startswith("+ true")
    assert run(tmp_path, "one", VERBOSE="")[1] == ""


def test_without_it_nothing_is_said(tmp_path: Path) -> None:
    assert run(tmp_path, "one", "--word", "-v") == ("done\n", "")


def test_every_verb_takes_it() -> None:
    verbs = typer.main.get_group(command_line.app).commands
    assert {"verify", "build", "engine-stop"} <= verbs.keys()
    for name, verb in verbs.items():
        assert any("-v" in option.opts for option in verb.params), name
    assert callable(kit.proving.verify)


@pytest.mark.parametrize(
    "word",
    ["plain", "", "two words", "it's", "a\nb", "\\\n'", "\t$HOME", "\x1b[31m", "größe", "`id`"],
)
def test_what_is_shown_is_what_a_shell_would_take(
    word: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes.telling, "commands", True)
    processes.run(["true", word])
    (line,) = capsys.readouterr().err.splitlines()
    shown = line.removeprefix("+ true ")
    said = subprocess.run(
        ["bash", "-c", f"printf '%s|' {shown}"],
        env={**os.environ, "LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout == f"{word}|"
    assert shown.isprintable()


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("https://user:secret@mirror.example/x", "https://user:***@mirror.example/x"),
        ("http://user:s:e@cret@mirror.example:80/", "http://user:***@mirror.example:80/"),
        ("--index-url=https://:secret@host/simple", "--index-url=https://:***@host/simple"),
        (
            "deb http://one:secret@a/ http://two:secret@b/",
            "deb http://one:***@a/ http://two:***@b/",
        ),
        ("https://mirror.example:8080/a@b", "https://mirror.example:8080/a@b"),
    ],
)
def test_a_password_in_an_address_is_not_shown(
    address: str, shown: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes.telling, "commands", True)
    processes.finish(["true", address])
    assert capsys.readouterr().err == f"+ true {shlex.quote(shown)}\n"


def test_the_environment_and_the_input_are_not_shown(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes.telling, "commands", True)
    processes.run(["true"], env={"KEY_PASSWORD": "secret"}, stdin="secret")
    assert capsys.readouterr().err == "+ true\n"


def test_no_other_place_of_the_kit_starts_a_program() -> None:
    """Or -v would not show it, and nothing would end it with us."""
    found = {}
    for path in (REPO / "scripts").rglob("*.py"):
        nodes = ast.walk(ast.parse(path.read_text()))
        names = {ast.unparse(node.func) for node in nodes if isinstance(node, ast.Call)}
        starts = {
            n for n in names if n.startswith(("os.system", "os.exec", "os.spawn", "os.popen"))
        }
        modules = ("run", "Popen", "call", "check_call", "check_output", "getoutput")
        starts |= names & {f"subprocess.{name}" for name in modules}
        # A bench is a program for the image.
        if starts and "benches" not in path.parts:
            found[str(path.relative_to(REPO / "scripts"))] = starts
    assert found == {"processes.py": {"subprocess.run", "subprocess.Popen"}}
