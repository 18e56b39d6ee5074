"""The metrics of several seeds as one HTML page: no script, no network, works from a file."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from tf_repro.verify.comparing import metrics, student
from tf_repro.verify.comparing.metrics import Metric
from tf_repro.verify.reporting import chart, page

# Of a metric's drawing, in its own units.
ROW, HEIGHT_OF_AXIS = 44, 24


@dataclass(frozen=True)
class Program:
    """A program that ran under several seeds."""

    command: Sequence[str]
    metrics: Sequence[Metric]


def render(programs: Sequence[Program], between: Sequence[Metric]) -> str:
    """Return the page.

    Args:
        programs: one, or two that are compared.
        between: what the second has more of than the first, by metric.
    """
    count = len(programs[0].metrics[0].values)
    commands = [" ".join(one.command) for one in programs]
    title = " against ".join(commands)
    said = "".join(f"<p>{escape(metrics.sentence(one))}</p>" for one in between)
    parts = [f"<section class='verdict'><h1>{count} seeds</h1>{said}</section>"]
    names = dict.fromkeys(metric.name for one in programs for metric in one.metrics)
    for name in names:
        rows = [
            (f"{letter}: {command}" if len(programs) > 1 else command, metric)
            for letter, command, one in zip("AB", commands, programs, strict=False)
            for metric in one.metrics
            if metric.name == name
        ]
        parts += [f"<h2>{escape(name)}</h2>", _drawing(rows), _table(rows)]
    return page.document("tf-repro seeds", title, parts)


def _table(rows: Sequence[tuple[str, Metric]]) -> str:
    heads = ("program", "mean", "spread", f"{student.LEVEL:.0%} interval of the mean")
    cells = [
        (
            command,
            f"{metric.mean.mean:.6g}",
            f"{metric.mean.spread:.3g}",
            f"{metric.mean.low:.6g} to {metric.mean.high:.6g}",
        )
        for command, metric in rows
    ]
    return page.table(heads, cells, [False] * len(cells))


def _drawing(rows: Sequence[tuple[str, Metric]]) -> str:
    """Return a row for each program: a dot a seed, and a bar where its mean lies."""
    ends = [end for _, one in rows for end in (*one.values, one.mean.low, one.mean.high)]
    low, high = min(ends), max(ends)
    span = (high - low) or 1.0

    def x(value: float) -> float:
        return chart.LEFT + (value - low) / span * (chart.WIDTH - 2 * chart.LEFT)

    parts = []
    for number, (_, metric) in enumerate(rows):
        y, colour = number * ROW + ROW / 2, chart.colour(number)
        mean = metric.mean
        parts.append(
            f"<rect x='{x(mean.low):.1f}' y='{y - 9:.1f}' fill='{colour}' fill-opacity='.25' "
            f"width='{max(x(mean.high) - x(mean.low), 1):.1f}' height='18'>"
            f"<title>{student.LEVEL:.0%} interval of the mean</title></rect>"
            f"<line x1='{x(mean.mean):.1f}' x2='{x(mean.mean):.1f}' y1='{y - 13:.1f}' "
            f"y2='{y + 13:.1f}' stroke='{colour}' stroke-width='2'/>"
        )
        if len(rows) > 1:
            parts.append(f"<text x='0' y='{y + 4:.1f}'>{'AB'[number]}</text>")
        parts += [
            f"<circle cx='{x(value):.1f}' cy='{y:.1f}' r='4' fill='{colour}' fill-opacity='.8'>"
            f"<title>seed {seed}: {value:.9g}</title></circle>"
            for seed, value in enumerate(metric.values, 1)
        ]
    bottom = len(rows) * ROW
    parts.append(
        f"<line class='axis' x1='{x(low):.1f}' x2='{x(high):.1f}' y1='{bottom}' y2='{bottom}'/>"
        f"<text x='{x(low):.1f}' y='{bottom + 16}' text-anchor='middle'>{low:.6g}</text>"
        f"<text x='{x(high):.1f}' y='{bottom + 16}' text-anchor='middle'>{high:.6g}</text>"
    )
    return chart.svg(bottom + HEIGHT_OF_AXIS, parts, f"{rows[0][1].name} of each seed")
