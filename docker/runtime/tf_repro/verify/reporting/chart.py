"""The drawings of the page, as SVG: every run's loss over each other, and steps by stages."""

import math
from collections.abc import Sequence
from html import escape

from tf_repro.verify.comparing import steps
from tf_repro.verify.comparing.steps import Pair, Stage
from tf_repro.verify.verdict import Verdict

WIDTH, HEIGHT = 1000, 280
LEFT, RIGHT, TOP, BOTTOM = 64, 12, 12, 28
# Apart for people who see colours differently: https://jfly.uni-koeln.de/color/ (Okabe, Ito)
COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00")
POINTS = 1000  # more than there are pixels to tell apart
COLUMNS = 160
ROW = 18
NAMES = 104  # of the rows of the grid


def losses(verdict: Verdict) -> str:
    """Return the loss curves of all runs, with the divergence marked."""
    curves = [[step.loss for step in run.steps] for run in verdict.runs]
    finite = [value for curve in curves for value in curve if math.isfinite(value)]
    if not finite:
        return "<p class='soft'>No loss is a number.</p>"
    low, high = min(finite), max(finite)
    span, longest = (high - low) or 1.0, max(max(map(len, curves)) - 1, 1)

    def x(step: float) -> float:
        return LEFT + step / longest * (WIDTH - LEFT - RIGHT)

    def y(value: float) -> float:
        return TOP + (high - value) / span * (HEIGHT - TOP - BOTTOM)

    parts = [_axes(low, high, longest + 1)]
    # Each run lies on those before it, and thinner, so that equal curves show all of them.
    for number, curve in enumerate(curves):
        dots = " ".join(
            f"{x(step):.1f},{y(value):.1f}"
            for step, value in _thinned(curve)
            if math.isfinite(value)
        )
        below = len(curves) - 1 - number
        width = min(1.6 + 2.6 * below, 9)
        parts.append(
            f"<polyline points='{dots}' fill='none' stroke='{colour(number)}' "
            f"stroke-width='{width:.1f}' stroke-opacity='{0.6 if below else 1}'/>"
        )
    for number, run in enumerate(verdict.runs):
        if run.killed:
            at = x(run.killed - 1)
            parts.append(
                f"<line class='kill' x1='{at:.1f}' x2='{at:.1f}' y1='{TOP}' "
                f"y2='{HEIGHT - BOTTOM}' stroke='{colour(number)}'><title>run {number + 1} was "
                f"killed after step {run.killed} and went on with step {run.went_on + 1}</title>"
                "</line>"
            )
    index = _divergence(verdict)
    if index is not None:
        at = x(max(index, 0))
        anchor, aside = ("end", -6) if at > WIDTH / 2 else ("start", 6)
        where = f"at step {index + 1}" if index >= 0 else "before the first step"
        parts.append(
            f"<line class='divergence' x1='{at:.1f}' x2='{at:.1f}' y1='{TOP}' "
            f"y2='{HEIGHT - BOTTOM}'/><text class='mark' x='{at + aside:.1f}' y='{TOP + 12}' "
            f"text-anchor='{anchor}'>the runs part {where}</text>"
        )
    legend = "".join(
        f"<span><i style='background:{colour(number)}'></i>run {number + 1}</span>"
        for number in range(len(curves))
    )
    return f"<div class='legend'>{legend}</div>{svg(HEIGHT, parts, 'loss of every run')}"


def grid(pair: Pair) -> str:
    """Return a grid of steps by stages: a cell is red if the stage differs in any of its steps."""
    total = len(pair.stages)
    if not total:
        return "<p class='soft'>No step of both runs was recorded.</p>"
    # What is random may be in another state and change nothing.
    rows = [(Stage.RANDOM, pair.random, "aside")]
    rows += [
        (stage, [equal[number] for equal in pair.stages], "differs")
        for number, stage in enumerate(steps.STAGES)
    ]
    parts = [
        part for row, (name, equal, apart) in enumerate(rows)
        for part in _cells(name, equal, apart, row * ROW)
    ]  # fmt: skip
    bottom = len(rows) * ROW
    parts.append(f"<text x='{NAMES}' y='{bottom + 14}'>step 1</text>")
    parts.append(f"<text x='{WIDTH - 20}' y='{bottom + 14}' text-anchor='end'>step {total}</text>")
    return svg(bottom + 20, parts, "which stage of which step differs")


def _cells(name: str, equal: Sequence[bool], apart: str, top: int) -> list[str]:
    """Return one row of the grid; `apart` is the class of a cell whose steps are not all equal."""
    total = len(equal)
    columns = min(total, COLUMNS)
    width = (WIDTH - NAMES - 20) / columns
    parts = [f"<text x='0' y='{top + 13}'>{escape(name)}</text>"]
    for column in range(columns):
        start, end = column * total // columns, (column + 1) * total // columns
        same = all(equal[start:end])
        steps = f"step {start + 1}" if end == start + 1 else f"steps {start + 1} to {end}"
        left, word = NAMES + column * width, "equal" if same else "differs"
        parts.append(
            f"<rect class='cell {'same' if same else apart}' x='{left:.2f}' "
            f"y='{top + 2}' width='{max(width - 0.6, 0.6):.2f}' height='{ROW - 4}'>"
            f"<title>{escape(name)}, {steps}: {word}</title></rect>"
        )
    return parts


def _axes(low: float, high: float, steps: int) -> str:
    bottom = HEIGHT - BOTTOM
    return (
        f"<line class='axis' x1='{LEFT}' x2='{WIDTH - RIGHT}' y1='{bottom}' y2='{bottom}'/>"
        f"<line class='axis' x1='{LEFT}' x2='{LEFT}' y1='{TOP}' y2='{bottom}'/>"
        f"<text x='{LEFT - 8}' y='{TOP + 10}' text-anchor='end'>{high:.4g}</text>"
        f"<text x='{LEFT - 8}' y='{bottom}' text-anchor='end'>{low:.4g}</text>"
        f"<text x='{LEFT}' y='{HEIGHT - 8}'>step 1</text>"
        f"<text x='{WIDTH - RIGHT}' y='{HEIGHT - 8}' text-anchor='end'>step {steps}</text>"
    )


def _divergence(verdict: Verdict) -> "int | None":
    """Return the first step that differs, from 0; -1 if the weights do before it."""
    stages = {Stage.INITIAL, *steps.STAGES}
    firsts = [judged.pair.first for judged in verdict.judged]
    return min((one.index for one in firsts if one and one.stage in stages), default=None)


def _thinned(curve: Sequence[float]) -> "list[tuple[int, float]]":
    every = max(1, len(curve) // POINTS)
    return [(step, curve[step]) for step in range(0, len(curve), every)]


def colour(number: int) -> str:
    """Return the colour of a run, or of a program."""
    return COLOURS[number % len(COLOURS)]


def svg(height: int, parts: Sequence[str], label: str) -> str:
    """Return a drawing that is as wide as the page."""
    return (
        f"<svg viewBox='0 0 {WIDTH} {height}' role='img' aria-label='{escape(label)}'>"
        + "".join(parts)
        + "</svg>"
    )
