"""What is typed after `make VERB` arrives as it was typed, whatever it holds."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from scripts.places import REPO

# Instead of the kit: it says what it was given.
ECHO = "import json, sys; print(json.dumps(sys.argv[1:]))"
# The kit's own command line, which says what it would verify.
VERIFY = """
import contextlib, json
from scripts import __main__ as kit
from scripts.build import build
from scripts.engine import engine
from scripts.proof import verify

engine.connected = contextlib.nullcontext
build.build = lambda *_: None

def say(host, built, asked):
    print(json.dumps([str(asked.script), asked.arguments, asked.judging, str(asked.into)]))
    return 0

verify.verify = say
kit.main()
"""
NASTY = [
    *("two words", " ", "", "\t", "line\nline", "\n", "it's", 'say "so"', "\\", "\\n", "a\\"),
    *(
        "$",
        "$$",
        "$HOME",
        "${HOME}",
        "$(HOME)",
        "$@",
        "$(value ARGS)",
        "$(error no)",
        "$(",
        "100 $",
    ),
    *("`touch PWNED`", "$(touch PWNED)", "$(shell touch PWNED)", "; touch PWNED", "& touch PWNED"),
    *("#", "a#b", "*", "?", "~", "!", "%", "=", "A=B", ":=", "(", ")", "{a,b}", "<", ">", "|"),
    *("--epochs=3", "--", "-x", "--verbose", "größe", "日本", "\x1b[0m", "endef", ",", "a,b"),
]


def make(
    folder: Path,
    stand_in: str,
    *words: str,
    env: Mapping[str, str] | None = None,
    status: int = 0,
) -> subprocess.CompletedProcess[str]:
    """Run make in this checkout with another kit; nothing of what it is given may be run."""
    program = folder / "stand_in.py"
    program.write_text(stand_in)
    pwned = REPO / "PWNED"
    pwned.unlink(missing_ok=True)
    done = subprocess.run(
        ["make", "--old-file=.venv/.complete", f"KIT={sys.executable} {program}", *words],
        cwd=REPO,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(REPO), **(env or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == status, done.stdout + done.stderr
    assert not pwned.exists()
    return done


def given(folder: Path, *words: str) -> list[str]:
    """Return what the kit is given."""
    answer: list[str] = json.loads(make(folder, ECHO, *words).stdout)
    return answer


@pytest.mark.parametrize("where", ["after make", "in the environment"])
def test_a_scripts_arguments_arrive_as_they_were_typed(
    where: str, tmp_path: Path, data_root: Path
) -> None:
    script, into = "dir of 'mine'/$train \"1\".py", "re$ports of `today`"
    typed = {"ARGS": shlex.join(NASTY), "JUDGE": shlex.join(NASTY[::-1]), "INTO": into}
    typed |= {"SCRIPT": script}
    env = {"TF_REPRO_DATA": str(data_root)}
    if where == "after make":
        done = make(tmp_path, VERIFY, "verify", *(f"{k}={v}" for k, v in typed.items()), env=env)
    else:
        done = make(tmp_path, VERIFY, "verify", env=typed | env)
    assert json.loads(done.stdout) == [script, NASTY, NASTY[::-1], into]


def test_an_open_quote_is_one_line(tmp_path: Path, data_root: Path) -> None:
    words = ("verify", "SCRIPT=x.py", "ARGS=it's")
    done = make(tmp_path, VERIFY, *words, status=2, env={"TF_REPRO_DATA": str(data_root)})
    assert "error: ARGS=it's: No closing quotation\n" in done.stderr


@pytest.mark.parametrize("text", [text for text in NASTY if text.strip()])
def test_a_text_is_one_word_for_the_kit(text: str, tmp_path: Path) -> None:
    """Whatever a verb is given: a file, a folder, a tag."""
    assert given(tmp_path, "sign", f"IMAGE={text}", f"VOUCHED={text}", f"KEY={text}") == [
        *("sign", f"--image={text}", f"--into={text}", f"--key={text}")
    ]
    assert given(tmp_path, "changelog", f"FROM={text}", f"TO={text}") == [
        *("changelog", "--", text, text)
    ]


def test_a_password_arrives_as_it_was_typed(tmp_path: Path) -> None:
    program = "import os; print(os.environ['KEY_PASSWORD'] + '|')"
    for password in ("pa$$word", "$(error no)", "'\"` \\ #"):
        done = make(tmp_path, program, "publish", f"KEY_PASSWORD={password}")
        assert done.stdout == f"{password}|\n"


def test_what_nobody_has_set_is_not_there(tmp_path: Path) -> None:
    """An empty KEY_PASSWORD is a password, and not the lack of one."""
    program = "import os; print('KEY_PASSWORD' in os.environ, 'REGISTRY' in os.environ)"
    assert make(tmp_path, program, "publish").stdout == "False False\n"


@pytest.mark.parametrize(
    ("verb", "missing"), [("verify", "SCRIPT"), ("sign", "KEY"), ("changelog", "FROM or TO")]
)
def test_what_is_missing_is_said(verb: str, missing: str, tmp_path: Path) -> None:
    assert f"{missing} is empty: make {verb}" in make(tmp_path, ECHO, verb, status=2).stderr


def test_the_help_says_how_arguments_are_split() -> None:
    said = subprocess.run(["make", "help"], cwd=REPO, capture_output=True, text=True, check=True)
    (line,) = [line for line in said.stdout.splitlines() if line.startswith("  make verify ")]
    assert "ARGS=<shell words>" in line
