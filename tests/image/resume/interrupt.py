"""Runs in an image: a training unbroken, and then killed and started again, and compares the ends.

The arguments are the program and the steps to kill it at: 17 by SIGKILL, s17 by SIGTERM, t17 by
SIGTERM which the program takes, f5 at the fifth moment around the writing of a state; `every` kills
it at each of STEPS. AGAIN is a setting for what is started again, SPOIL what happens to the states
before: cut, change, or remove. Prints JSON.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys

FOLDER = pathlib.Path("/tmp/backup")
# Lines of what a training has: epochs or steps with their number, and results.
NUMBERED, RESULTS = "E ", ("R ", "D ", "H ")
# What a kill begins with -> the settings that bring it about.
HOW = {
    "f": lambda at: {"HALT": at},
    "s": lambda at: {"KILL": at, "SIGNAL": "15"},
    "t": lambda at: {"TERM_AT": at},
}
NEVER = {"KILL": "0", "HALT": "0", "TERM_AT": "0"}


def run(program, **env):
    return subprocess.run(
        [sys.executable, program],
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        check=False,
    )


def spoil(how):
    for state in FOLDER.rglob("*.tf_repro.json"):
        text = state.read_text()
        if how == "cut":
            state.write_text(text[: len(text) // 2])
        elif how == "change":
            state.write_text(
                text.replace('"seed":42', '"seed":43').replace('"epoch":', '"epoch": ')
            )
        else:
            state.unlink()


def started_again(program):
    again = dict([os.environ["AGAIN"].split("=")]) if "AGAIN" in os.environ else {}
    done = run(program, **{**NEVER, **again})
    return done, said(done)


def said(done):
    return [line for line in done.stderr.splitlines() if line.startswith("tf-repro:")]


def killed_at_every_step(program, whole):
    """Start it again and again, each time to be killed a step later; all it prints has to be so."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    wanted = set(whole.stdout.splitlines())
    steps = int(os.environ["STEPS"])
    equal, lines = True, []
    for at in range(1, steps):
        done = run(program, **{**NEVER, "KILL": str(at)})
        equal = equal and done.returncode == -9 and set(done.stdout.splitlines()) <= wanted
        lines += said(done)
    done = run(program, **NEVER)
    equal = equal and is_equal(whole, done)[0]
    return {
        "killed": True,
        "exit": done.returncode,
        "starts": steps,
        "equal": equal,
        "said": lines + said(done),
    }


def is_equal(whole, done):
    lines = done.stdout.splitlines()
    numbered = [line for line in lines if line.startswith(NUMBERED)]
    first = int(numbered[0].split()[1]) if numbered else 0
    wanted = [
        line
        for line in whole.stdout.splitlines()
        if line.startswith(NUMBERED) and int(line.split()[1]) >= first
    ]
    results = [
        [one for one in text if one.startswith(RESULTS)]
        for text in (lines, whole.stdout.splitlines())
    ]
    return numbered == wanted and results[0] == results[1], first


def main():
    program, *kills = sys.argv[1:]
    whole = run(program, **NEVER)
    assert whole.returncode == 0, whole.stderr
    rows = []
    for kill in kills:
        if kill == "every":
            rows.append(killed_at_every_step(program, whole))
            continue
        shutil.rmtree(FOLDER, ignore_errors=True)
        how = HOW.get(kill[0], lambda at: {"KILL": at})
        killed = run(program, **{**NEVER, **how(kill.lstrip("fst"))})
        if "SPOIL" in os.environ:
            spoil(os.environ["SPOIL"])
        done, lines = started_again(program)
        equal, first = is_equal(whole, done)
        left = sorted(one.name for one in FOLDER.rglob("*") if one.is_file())
        rows.append(
            {
                "kill": kill,
                "killed": killed.returncode in {-9, -15, 143},
                "exit": done.returncode,
                "equal": equal,
                "first": first,
                "said": lines,
                "left": left,
            }
        )
    print(json.dumps(rows))


main()
