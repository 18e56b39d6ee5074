"""Runs in an image: a training unbroken, and then killed and started again, and compares the ends.

The arguments are the program and the steps to kill it at. AGAIN is a setting for what is started
again, SPOIL what happens to the states before: cut, change, or remove. Prints JSON.
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
    done = run(program, KILL="0", HALT="0", **again)
    said = [line for line in done.stderr.splitlines() if line.startswith("tf-repro:")]
    return done, said


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
    whole = run(program, HALT="0")
    assert whole.returncode == 0, whole.stderr
    rows = []
    for kill in kills:
        shutil.rmtree(FOLDER, ignore_errors=True)
        how = "HALT" if kill.startswith("f") else "KILL"
        killed = run(program, **{"KILL": "0", "HALT": "0", how: kill.lstrip("f")})
        if "SPOIL" in os.environ:
            spoil(os.environ["SPOIL"])
        done, said = started_again(program)
        equal, first = is_equal(whole, done)
        left = sorted(one.name for one in FOLDER.rglob("*") if one.is_file())
        rows.append(
            {
                "kill": kill,
                "killed": killed.returncode == -9,
                "exit": done.returncode,
                "equal": equal,
                "first": first,
                "said": said,
                "left": left,
            }
        )
    print(json.dumps(rows))


main()
