"""The verdict as one HTML page: no script, no network, works from a file."""

from collections.abc import Iterable, Sequence
from html import escape

from tf_repro.verify.comparing import steps, weights
from tf_repro.verify.reporting import chart, passport, terminal
from tf_repro.verify.verdict import Judged, Verdict

STYLE = """
:root { color-scheme: light dark; --ink: #1c2430; --soft: #5b6675; --paper: #fff; --line: #dfe4ea;
  --good: #1a7f4b; --bad: #c0352b; --good-soft: #e3f4ea; --bad-soft: #fbe7e5; --mark: #f5f7fa;
  --aside: #c98a00; }
@media (prefers-color-scheme: dark) { :root { --ink: #e5e9ef; --soft: #9aa6b5; --paper: #14181e;
  --line: #2c343f; --good: #4cc38a; --bad: #f0776c; --good-soft: #16302399; --bad-soft: #43201d99;
  --mark: #1c222a; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1080px; padding: 32px 24px 64px; background: var(--paper);
  color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 22px; margin: 0; } h2 { font-size: 16px; margin: 36px 0 10px; }
.verdict { border-left: 6px solid var(--good); background: var(--good-soft); padding: 16px 20px;
  border-radius: 6px; }
.verdict.bad { border-color: var(--bad); background: var(--bad-soft); }
.soft { color: var(--soft); } code, td.code { font: 13px/1.4 ui-monospace, monospace; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 4px 20px; margin: 14px 0 0; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; }
th { text-align: left; color: var(--soft); font-weight: 500; }
th, td { padding: 5px 14px 5px 0; border-bottom: 1px solid var(--line); vertical-align: top;
  overflow-wrap: anywhere; }
.environment td:first-child { white-space: nowrap; }
tr.differs td { background: var(--bad-soft); }
svg { display: block; width: 100%; height: auto; } svg text { fill: var(--soft); font-size: 12px; }
svg text.mark { fill: var(--bad); font-weight: 600; paint-order: stroke; stroke: var(--paper);
  stroke-width: 4px; }
.kill { stroke-width: 3; stroke-dasharray: 1 4; }
.axis { stroke: var(--line); } .divergence { stroke: var(--bad); stroke-dasharray: 4 3; }
.cell.same { fill: var(--good); opacity: .75; } .cell.differs { fill: var(--bad); }
.cell.aside { fill: var(--aside); opacity: .75; }
.legend { display: flex; gap: 18px; flex-wrap: wrap; margin: 4px 0 8px; color: var(--soft); }
.legend i { display: inline-block; width: 14px; height: 3px; margin-right: 6px;
  vertical-align: middle; }
details { margin-top: 10px; } summary { cursor: pointer; color: var(--soft); }
"""


def render(verdict: Verdict) -> str:
    """Return the page."""
    first = verdict.runs[0]
    title = " ".join(first.ended.command)
    parts = [
        f"<section class='verdict{'' if verdict.identical else ' bad'}'>"
        f"<h1>{escape(terminal.sentence(verdict))}</h1>{_answer(verdict)}</section>",
        "<h2>Runs</h2>",
        _runs(verdict),
    ]
    if any(run.steps for run in verdict.runs):
        parts += ["<h2>Loss at each step</h2>", chart.losses(verdict), *_grids(verdict)]
    parts += list(_variables(verdict)) + list(_sections(verdict))
    parts += ["<h2>Environment</h2>", _environments(verdict)]
    return document("tf-repro verify", title, parts)


def document(tool: str, title: str, parts: Sequence[str]) -> str:
    """Return a page of a tool's about a command, out of its parts."""
    return (
        "<!doctype html>\n<html lang='en'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        f"<title>{tool}: {escape(title)}</title><style>{STYLE}</style></head>\n"
        f"<body><p class='soft'>{tool} &nbsp; <code>{escape(title)}</code></p>\n"
        + "\n".join(parts)
        + "\n</body></html>\n"
    )


def _answer(verdict: Verdict) -> str:
    worst = verdict.worst
    if worst is None or worst.cause is None or worst.pair.first is None:
        return "<p class='soft'>Losses, metrics, batches, gradients, weights and files.</p>"
    rows = [
        (f"first difference, runs {worst.pair.numbers[0]} and {worst.pair.numbers[1]}",
         steps.describe(worst.pair.first)),
        ("class of cause", worst.cause.kind),
        ("because", worst.cause.reason),
        *(("also", hint) for hint in worst.cause.hints),
        *terminal.operation(verdict),
        *(("note", note) for note in verdict.notes),
    ]  # fmt: skip
    return "<dl>" + "".join(f"<dt>{escape(a)}</dt><dd>{escape(b)}</dd>" for a, b in rows) + "</dl>"


def _runs(verdict: Verdict) -> str:
    rows = []
    for number, run in enumerate(verdict.runs, 1):
        pair = verdict.judged[number - 2].pair if number > 1 else None
        against = "" if pair is None else "differs" if pair.first else "identical"
        rows.append(
            (
                str(number),
                str(run.ended.exit_status),
                str(len(run.steps)),
                f"{run.steps[-1].loss:.9g}" if run.steps else "",
                weights.digest(run)[:16],
                f"{run.ended.seconds:.1f} s",
                against,
            )
        )
    heads = ("run", "exit status", "steps", "last loss", "final weights", "time", "against run 1")
    marked = [row[-1] == "differs" for row in rows]
    return table(heads, rows, marked)


def _grids(verdict: Verdict) -> Iterable[str]:
    for judged in verdict.judged:
        one, other = judged.pair.numbers
        yield f"<h2>Steps and stages, run {other} against run {one}</h2>"
        yield chart.grid(judged.pair)


def _variables(verdict: Verdict) -> Iterable[str]:
    worst: Judged | None = verdict.worst
    if worst is None or not worst.variables:
        return
    rows = []
    for each in worst.variables:
        apart = each.apart
        rows.append(
            (each.name, str(list(each.shape)), "", "", "", "in one run only")
            if apart is None
            else (
                each.name,
                str(list(each.shape)),
                f"{apart.elements} of {apart.of}",
                f"{apart.absolute:.3g}",
                f"{apart.relative:.3g}",
                "" if apart.ulps is None else str(apart.ulps),
            )
        )
    heads = ("variable", "shape", "elements", "largest difference", "relative", "ULPs")
    yield f"<h2>Final weights that differ, run {worst.pair.numbers[1]} against run 1</h2>"
    yield table(heads, rows, [False] * len(rows))


def _sections(verdict: Verdict) -> Iterable[str]:
    for judged in verdict.judged:
        for name, lines in judged.pair.sections.items():
            if name in steps.STAGES:
                continue
            yield (
                f"<details><summary>{escape(name)}, run {judged.pair.numbers[1]}: {len(lines)} "
                "differ</summary>"
                + "".join(f"<div class='soft'>{escape(line)}</div>" for line in lines[:200])
                + "</details>"
            )
        ignored = [each for each in judged.files if each.ignored]
        for each in ignored:
            yield (
                f"<p class='soft'>{escape(each.name)}: {escape('; '.join(each.ignored))} "
                "do not count</p>"
            )


def _environments(verdict: Verdict) -> str:
    """Return what differs between the runs' environments, and behind a fold what does not."""
    flats = [passport.flat(run.header) for run in verdict.runs]
    names = list(dict.fromkeys(name for flat in flats for name in flat))
    rows = [(name, *(flat.get(name, "") for flat in flats)) for name in names]
    differing = [row for row in rows if len(set(row[1:])) > 1]
    same = [row[:2] for row in rows if len(set(row[1:])) == 1]
    heads = ("", *(f"run {number}" for number in range(1, len(flats) + 1)))
    parts = []
    if differing:
        parts.append(table(heads, differing, [True] * len(differing), kind="environment"))
    parts.append(
        f"<details{'' if differing else ' open'}><summary>{len(same)} settings are the same in "
        f"every run</summary>{table(('', 'every run'), same, [False] * len(same), 'environment')}"
        "</details>"
    )
    return "".join(parts)


def table(
    heads: Sequence[str], rows: Sequence[Sequence[str]], marked: Sequence[bool], kind: str = ""
) -> str:
    """Return a table; rows that are marked stand out."""
    head = "".join(f"<th>{escape(one)}</th>" for one in heads)
    body = "".join(
        f"<tr{' class=differs' if mark else ''}>"
        + "".join(f"<td class='code'>{escape(cell)}</td>" for cell in row)
        + "</tr>"
        for row, mark in zip(rows, marked, strict=True)
    )
    return f"<table class='{kind}'><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
