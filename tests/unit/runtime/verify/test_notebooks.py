"""A notebook is compared by what its cells have put out, and said to be what cannot be run."""

import importlib.util
import json
import os
import struct
import sys
import zlib
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

from tests.unit.runtime.verify.made_up import rows, run
from tf_repro import caller
from tf_repro.notebook import cells, program
from tf_repro.notebook.cells import NotebookError
from tf_repro.recording.format import Kind
from tf_repro.verify.comparing import files, notebooks
from tf_repro.verify.running.run import FILES, last_words

Json = dict[str, Any]


def cell(source: str = "f()", count: int | None = 1, *outputs: Json) -> Json:
    return {
        "cell_type": "code",
        "source": source,
        "execution_count": count,
        "outputs": list(outputs),
        "metadata": {},
    }


def notebook(*its: Json, **more: object) -> Json:
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": list(its), **more}


def stream(text: str, name: str = "stdout") -> Json:
    return {"output_type": "stream", "name": name, "text": text}


def display(mime: str, content: object) -> Json:
    return {"output_type": "display_data", "data": {mime: content}, "metadata": {}}


def png(pixels: bytes, made: bytes = b"1", level: int = 6) -> str:
    def chunk(kind: bytes, content: bytes) -> bytes:
        body = kind + content
        return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))

    size = struct.pack(">IIBBBBB", 2, len(pixels) // 7, 8, 2, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size) + chunk(b"tEXt", b"Made\0" + made)
    data += chunk(b"IDAT", zlib.compress(pixels, level)) + chunk(b"IEND", b"")
    return b64encode(data).decode()


def svg(name: str, day: int, d: str = "M 0 0") -> str:
    return f'<g><dc:date>2026-01-{day}</dc:date><path id="m{name}" d="{d}"/><use href="#m{name}"/>'


ROW = b"\0" + bytes(range(6))
BAR = "1/2 [=>...] - ETA: 1s\b\b\b\b\b\b\b\b\b\b\b\b\b\b\b\b\b\b\b\b\b"
EQUAL = {
    "streams in other pieces": ([stream("a\nb")], [stream("a"), stream("\nb")]),
    "streams between each other": (
        [stream("a"), stream("b", "stderr")],
        [stream("b", "stderr"), stream("a")],
    ),
    "a bar of Keras 2": (
        [stream(f"{BAR}2/2 [=====] - 1s 10ms/step - loss: 0.5\n")],
        [stream("2/2 [=====] - 12s 9us/step - loss: 0.5\n")],
    ),
    "a bar of Keras 3": (
        [stream("\x1b[1m2/2\x1b[0m ━━ \x1b[1m0s\x1b[0m 9ms/step - loss: 0.5\n")],
        [
            stream(
                "\x1b[1m1/2\x1b[0m ━━ 1s\r"
                "\x1b[1m2/2\x1b[0m ━━ \x1b[1m1s\x1b[0m 2ms/step - loss: 0.5"
            )
        ],
    ),
    "Keras 2 under verbose=2": (
        [stream("4/4 - 1s - loss: 0.5 - 842ms/epoch - 211ms/step\n")],
        [stream("4/4 - 2s - loss: 0.5 - 2s/epoch - 500ms/step\n")],
    ),
    "Keras 3 under verbose=2": (
        [stream("4/4 - 1s - 211ms/step - loss: 0.5\n")],
        [stream("4/4 - 0s - 9us/step - loss: 0.5\n")],
    ),
    "tqdm": ([stream("5/5 [00:01<00:00, 9.1it/s]")], [stream("5/5 [00:02<00:00, 1.25s/it]")]),
    "an object": (
        [display("text/plain", "<f at 0x7f01>")],
        [display("text/plain", ["<f at 0x7f02>"])],
    ),
    "a warning": ([stream("/tmp/ipykernel_7/1.py:2: W")], [stream("/tmp/ipykernel_8/1.py:2: W")]),
    "TensorFlow's log": (
        [stream("2026-01-02 03:04:05.6: I tsl/a.cc:1] b", "stderr")],
        [stream("2026-01-03 03:04:05.6: I tsl/a.cc:1] b", "stderr")],
    ),
    "a picture": (
        [display("image/png", png(ROW + ROW))],
        [display("image/png", png(ROW + ROW, b"2", 1))],
    ),
    "a picture that is no PNG's": (
        [display("image/png", b64encode(b"nonsense").decode())],
        [display("image/png", [b64encode(b"nonsense").decode()])],
    ),
    "absl's log": (
        [stream("I0000 00:00:1764268423.1  99 a.cc:1] b", "stderr")],
        [stream("I0000 00:00:1764268424.2  7 a.cc:1] b", "stderr")],
    ),
    "a widget": (
        [display(notebooks._WIDGET, {"model_id": "1"})],
        [display(notebooks._WIDGET, {"model_id": "2"})],
    ),
    "the time of a cell": (
        [stream("CPU times: user 1 ms, total: 2 ms\nWall time: 1.5 s\n")],
        [stream("CPU times: user 3 ms, total: 4 ms\nWall time: 2.5 s\n")],
    ),
    "%timeit": (
        [stream("1.2 ns ± 0.1 ns per loop (mean of 7)")],
        [stream("3 μs ± 0.25 μs per loop (mean of 7)")],
    ),
    "a table of pandas": (
        [display("text/html", '#T_0a1b2 {}<table id="T_0a1b2"><td id="T_0a1b2_row0" >1')],
        [display("text/html", '#T_ffff0 {}<table id="T_ffff0"><td id="T_ffff0_row0" >1')],
    ),
    "a drawing": (
        [display("image/svg+xml", svg("0123456789", 1))],
        [display("image/svg+xml", svg("abcdef0123", 2))],
    ),
}
DIFFERENT = {
    "a number": (
        [stream("loss: 0.5\n")],
        [stream("loss: 0.25\n")],
        "stdout, line 1: loss: 0.5 and ",
    ),
    "a loss beside a time": (
        [stream("4/4 - 1s - loss: 0.5 - 842ms/epoch - 211ms/step\n")],
        [stream("4/4 - 1s - loss: 0.6 - 842ms/epoch - 211ms/step\n")],
        "4/4 - loss: 0.5 - …/epoch - …/step and 4/4 - loss: 0.6",
    ),
    "a line": ([stream("a\n")], [stream("a\nb\n")], "stdout, line 2: nothing and b"),
    "a number in hex": (
        [stream("0x12345678")],
        [stream("0x12345679")],
        "0x12345678 and 0x12345679",
    ),
    "a time of one's own": ([stream("took 3s")], [stream("took 4s")], "took 3s and took 4s"),
    "a pixel": (
        [display("image/png", png(ROW + ROW))],
        [display("image/png", png(ROW + ROW[:-1] + b"\7"))],
        "display 1, image/png: 1 of 4 pixels differ, by up to 2 of 255",
    ),
    "a picture of another size": (
        [display("image/png", png(ROW + ROW))],
        [display("image/png", png(ROW))],
        "a picture of 2 x 2 pixels and a picture of 2 x 1 pixels",
    ),
    "a picture that is cut": (
        [display("image/png", png(ROW + ROW))],
        [display("image/png", png(ROW + ROW[:-1]))],
        "a picture of 2 x 2 pixels and 92 bytes",
    ),
    "a page of HTML": (
        [display("text/html", f"{'a' * 5000}1{'b' * 5000}")],
        [display("text/html", f"{'a' * 5000}2{'b' * 5000}")],
        f"line 1: …{'a' * 20}1{'b' * 39}… and …{'a' * 20}2{'b' * 39}…",
    ),
    "a stroke": (
        [display("image/svg+xml", svg("0123456789", 1))],
        [display("image/svg+xml", svg("0123456789", 1, "M 0 1"))],
        "display 1, image/svg+xml, line 1: ",
    ),
    "data": (
        [display("application/json", {"a": 1})],
        [display("application/json", {"a": 2})],
        'display 1, application/json: {"a": 1} and {"a": 2}',
    ),
    "an error": (
        [{"output_type": "error", "ename": "ValueError", "evalue": "1", "traceback": []}],
        [{"output_type": "error", "ename": "ValueError", "evalue": "2", "traceback": []}],
        "error: ValueError: 1 and ValueError: 2",
    ),
}


def compared(tmp_path: Path, one: Json, other: Json) -> files.Compared:
    runs = []
    for number, content in enumerate((one, other)):
        folder = tmp_path / str(number)
        recorded = run(folder)
        (folder / FILES).mkdir()
        (folder / FILES / "a.ipynb").write_text(json.dumps(content))
        recorded.ended.written[:] = ["a.ipynb"]
        runs.append(recorded)
    (found,) = files.compare(*runs)
    return found


@pytest.mark.parametrize("what", EQUAL)
def test_what_is_no_result_does_not_count(tmp_path: Path, what: str) -> None:
    ours, theirs = (notebook(cell("f()", 1, *outputs)) for outputs in EQUAL[what])
    found = compared(tmp_path, ours, theirs)
    assert (found.differing, found.ignored) == ((), (notebooks.IGNORED,))


@pytest.mark.parametrize("what", DIFFERENT)
def test_a_difference_names_the_cell_and_both_sides(tmp_path: Path, what: str) -> None:
    *outputs, words = DIFFERENT[what]
    ours, theirs = (notebook(cell("1", 1), cell("f()\n# g", 2, *its)) for its in outputs)
    (differing,) = compared(tmp_path, ours, theirs).differing
    assert differing.startswith("cell In[2] (f()): ")
    assert words in differing


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        ([1, 2, 3], ""),
        ([None, None, None], ""),
        ([2, 1, 3], "cell In[1] (f()) ran as In[2], and the one below it before, as In[1]"),
        ([3, 4, 5], "its cells ran as In[3], In[4], In[5]"),
        ([1, None, 2], "its cells ran as In[1], In[2]"),
    ],
)
def test_an_order_that_is_not_the_cells_own_is_said(counts: list[int | None], words: str) -> None:
    found = cells.cells(notebook(*(cell("f()", count) for count in counts)))
    assert cells.disorder(found) == words


def test_the_first_cell_that_holds_other_outputs_is_named() -> None:
    ran = notebook(cell("a", 1, stream("1")), cell("b", 2, stream("2")))
    kept = cells.cells(notebook(cell("a", 5, stream("1")), cell("b", 7, stream("3"))))
    assert notebooks.moved(kept, json.dumps(ran).encode()) == "In[2] (b)"
    kept = cells.cells(notebook(cell("a", 5, stream("1")), cell("b", None)))
    assert notebooks.moved(kept, json.dumps(ran).encode()) == ""


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "not a notebook"),
        ("[]", "not a notebook"),
        ("<<<<<<< HEAD\n{}", "it has the conflicts of a merge in it"),
        (json.dumps({"nbformat": 3}), "format 3 of notebooks, and this reads 4"),
        (json.dumps(notebook()), "it has no cell of code"),
        (json.dumps(notebook(cell("  "))), "it has no cell of code"),
        (json.dumps(notebook(cell(), metadata={"language_info": {"name": "R"}})), "language is R"),
        (json.dumps(notebook(cell(), metadata={"kernelspec": {"language": 3}})), "language is 3"),
        ("[" * 100_000, "not a notebook"),
    ],
)
def test_what_cannot_be_run_is_one_line(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "a.ipynb"
    path.write_text(text)
    with pytest.raises(NotebookError, match=words) as raised:
        cells.read(path)
    assert "\n" not in str(raised.value)


def made(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a notebook below a working folder, where every package is installed."""
    path = folder / "work/sub/a.ipynb"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(notebook(cell())))
    monkeypatch.chdir(folder / "work")
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: object())
    return path


def test_a_notebook_is_a_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run has its own copy of the working folder, so the notebook is named from there on."""
    path = made(tmp_path, monkeypatch)
    run_it = [sys.executable, "-m", program.EXECUTE, "sub/a.ipynb"]
    assert program.argv([str(path)]) == [*run_it, "sub/a.ipynb"]
    assert program.argv(["../work/sub/a.ipynb"]) == [*run_it, "sub/a.ipynb"]
    assert program.argv([str(path)], keep=False) == [*run_it, os.devnull]
    assert program.argv(["python", str(path)]) == ["python", str(path)]


def test_papermill_runs_one_with_parameters(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(tmp_path, monkeypatch)
    argv = program.argv(["sub/a.ipynb", "-p", "rate", "1"])
    assert argv[1:6] == ["-m", program.PAPERMILL, "sub/a.ipynb", "sub/a.ipynb", "--cwd=sub"]
    assert argv[-3:] == ["-p", "rate", "1"]


def test_one_that_is_elsewhere_is_not_written_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where a folder of the working folder is a link to elsewhere."""
    path = made(tmp_path, monkeypatch)
    (tmp_path / "other").mkdir()
    monkeypatch.chdir(tmp_path / "other")
    (tmp_path / "other/link").symlink_to(path.parent)
    for name in (str(path), "../work/sub/a.ipynb", "link/a.ipynb"):
        with pytest.raises(NotebookError, match="outside of the working folder"):
            program.argv([name])


def test_what_is_missing_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made(tmp_path, monkeypatch)
    with pytest.raises(NotebookError, match="No such file"):
        program.argv(["nowhere.ipynb"])
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name != "papermill" or None)
    with pytest.raises(NotebookError, match="papermill is not installed here: pip install paperm"):
        program.argv(["sub/a.ipynb", "-p", "x", "1"])
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(NotebookError, match="pip install nbclient ipykernel"):
        program.argv(["sub/a.ipynb"])


def test_a_cell_is_named_where_there_is_no_kernel() -> None:
    assert caller.named("/tmp/ipykernel_7/1.py") == "In[?]"
    assert caller.named("/work/train.py") == "/work/train.py"


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("Traceback\nValueError: bad\nvery  bad\n", "cell In[2] (f()): ValueError: bad very bad"),
        # A cell that may fail did, and then something else.
        ("KeyError: 1\n", "KeyError: 1"),
        ("", "nothing on stderr"),
    ],
)
def test_the_last_words_name_the_cell_that_failed(tmp_path: Path, said: str, words: str) -> None:
    failed = {"kind": Kind.FAILED, "cell": "In[2] (f())", "error": "ValueError: bad very bad"}
    run(tmp_path / "run", [*rows(), failed])
    (tmp_path / "run/stderr.txt").write_text(said)
    assert last_words(tmp_path / "run") == words
