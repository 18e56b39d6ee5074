"""The verdict for people, on the terminal, and for programs, as JSON."""

from dataclasses import asdict
from typing import Any

from tf_repro.verify.comparing import steps, ulps, weights
from tf_repro.verify.reporting import table
from tf_repro.verify.verdict import Judged, Verdict

SHOWN = 8
# Bold and green, bold and red. https://en.wikipedia.org/wiki/ANSI_escape_code#SGR
GOOD, BAD, PLAIN = "\033[1;32m", "\033[1;31m", "\033[0m"


def sentence(verdict: Verdict) -> str:
    """Return the verdict in one line."""
    total = len(verdict.runs)
    equal = 1 + sum(not one.pair.sections for one in verdict.judged)
    steps = len(verdict.runs[0].steps)
    if equal == total:
        return f"{total} of {total} runs identical, {steps} steps compared bit by bit"
    if verdict.identical:
        return f"{total} of {total} runs equal within {verdict.tolerance:g}, {equal} to the bit"
    return f"{total - equal} of {total} runs DIFFER from the first"


def render(verdict: Verdict, *, colour: bool = False) -> str:
    """Return the whole report as text."""
    said = f"tf-repro: {sentence(verdict)}"
    if colour:
        said = f"{GOOD if verdict.identical else BAD}{said}{PLAIN}"
    lines = [said, *_table(verdict)]
    if verdict.worst:
        lines += ["", *_answer(verdict.worst, verdict)]
    for note in verdict.notes:
        lines += ["", f"note: {note}"]
    return "\n".join(lines) + "\n"


def _table(verdict: Verdict) -> "list[str]":
    rows = [("run", "exit", "steps", "last loss", "final weights", "time", "against run 1")]
    for number, run in enumerate(verdict.runs, 1):
        judged = verdict.judged[number - 2] if number > 1 else None
        first = judged.pair.first if judged else None
        against = "" if judged is None else steps.describe(first) if first else "identical"
        rows.append(
            (
                str(number),
                str(run.ended.exit_status),
                str(len(run.steps)),
                f"{run.steps[-1].loss:.9g}" if run.steps else "-",
                weights.digest(run)[:12] or "-",
                f"{run.ended.seconds:.1f} s",
                against,
            )
        )
    return table.boxed(rows, table.width())


def _answer(judged: Judged, verdict: Verdict) -> "list[str]":
    pair, cause = judged.pair, judged.cause
    assert pair.first
    assert cause
    one, other = pair.numbers
    lines = [
        f"first difference: runs {one} and {other}, {steps.describe(pair.first)}",
        f"equal up to there: {_equal_before(pair)}",
        f"class of cause:   {cause.kind}",
        f"because:          {cause.reason}",
    ]
    lines += [f"also:             {hint}" for hint in cause.hints]
    lines += [f"{name + ':':17} {words}" for name, words in operation(verdict)]
    if pair.largest and pair.largest.elements:
        lines += ["", f"losses and metrics: {ulps.words(pair.largest)}"]
    if judged.variables:
        lines += ["", f"final weights: {len(judged.variables)} variables differ, of which"]
        lines += [f"  {row}" for row in map(_variable, judged.variables[:SHOWN])]
    for name, rows in pair.sections.items():
        if name not in steps.STAGES:
            lines += ["", f"{name}: {len(rows)} differ"] + [f"  {row}" for row in rows[:SHOWN]]
    ignored = [each for each in judged.files if each.ignored]
    if ignored:
        lines += ["", "does not count:"]
        lines += [f"  {each.name}: {'; '.join(each.ignored)}" for each in ignored[:SHOWN]]
    return lines


def operation(verdict: Verdict) -> "list[tuple[str, str]]":
    """Return what the extra pair of runs has found, as names and words."""
    found = verdict.bisected
    if found is None:
        return []
    rows = []
    if verdict.extra:
        rows.append(("the extra pair", steps.describe(verdict.extra)))
    rows.append(("operation", found.sentence))
    if found.apart:
        rows.append(("its output", ulps.words(found.apart)))
    return rows


def _equal_before(pair: steps.Pair) -> str:
    assert pair.first
    if pair.first.stage in steps.STAGES:
        before = steps.STAGES[: steps.STAGES.index(pair.first.stage)]
        whole = f"{pair.first.index} steps"
        return f"{whole}, then {', '.join(before)}" if before else whole
    return f"{len(pair.stages)} steps" if all(map(all, pair.stages)) else "nothing"


def _variable(each: weights.Variable) -> str:
    if each.apart is None:
        return f"{each.name} {list(each.shape)}: only one run has it in this form"
    return f"{each.name} {list(each.shape)}: {ulps.words(each.apart)}"


def as_json(verdict: Verdict) -> "dict[str, Any]":
    """Return the verdict as plain JSON."""
    return {
        "identical": verdict.identical,
        "sentence": sentence(verdict),
        "tolerance": verdict.tolerance,
        "notes": verdict.notes,
        "bisected": {**asdict(verdict.bisected), "sentence": verdict.bisected.sentence}
        if verdict.bisected
        else None,
        "extra_pair": asdict(verdict.extra) if verdict.extra else None,
        "bisect_at": verdict.bisect_at,
        "runs": [
            {
                "exit_status": run.ended.exit_status,
                "seconds": run.ended.seconds,
                "steps": len(run.steps),
                "losses": [step.loss for step in run.steps],
                "epochs": run.epochs,
                "final_weights": weights.digest(run),
                "environment": run.header,
                "whole": run.whole,
                "killed": run.killed,
                "went_on": run.went_on,
            }
            for run in verdict.runs
        ],
        "pairs": [
            {
                "runs": judged.pair.numbers,
                "first": asdict(judged.pair.first) if judged.pair.first else None,
                "cause": asdict(judged.cause) if judged.cause else None,
                "sections": judged.pair.sections,
                "largest": asdict(judged.pair.largest) if judged.pair.largest else None,
                "variables": [asdict(each) for each in judged.variables],
                "files": [asdict(each) for each in judged.files],
            }
            for judged in verdict.judged
        ],
    }
