"""The verdict as the pipelines of a team show it: a badge, and a mark at the line that parts."""

import hashlib
import re
from pathlib import Path
from typing import Any

from tf_repro.verify.verdict import Verdict

# Where a report names a line of the script, as in `train.py:22`.
_PLACE = re.compile(r"([\w./-]+\.py):(\d+)")


def place(verdict: Verdict) -> "dict[str, Any] | None":
    """Return file and line, in the working folder, at which the runs part, if one is named."""
    causes = [judged.cause for judged in verdict.judged if judged.cause]
    texts = [verdict.bisected.place] if verdict.bisected else []
    texts += [cause.reason for cause in causes]
    texts += [hint for cause in causes for hint in cause.hints]
    for text in texts:
        for file, line in _PLACE.findall(text):
            if Path(file).is_file() and not Path(file).is_absolute():
                return {"file": file, "line": int(line)}
    return None


def badge(sentence: str, *, holds: bool) -> "dict[str, Any]":
    """Return what shields.io draws. https://shields.io/badges/endpoint-badge."""
    colour = "brightgreen" if holds else "red"
    return {"schemaVersion": 1, "label": "reproducible", "message": sentence, "color": colour}


def code_quality(sentence: str, at: "dict[str, Any] | None", *, holds: bool) -> "list[Any]":
    """Return what GitLab marks in a merge request; nothing where no line is to blame.

    https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format
    """
    if holds or at is None:
        return []
    return [
        {
            "check_name": "tf-repro verify",
            "description": sentence,
            "severity": "major",
            "fingerprint": hashlib.sha256(f"{at['file']}:{at['line']}".encode()).hexdigest(),
            "location": {"path": at["file"], "lines": {"begin": at["line"]}},
        }
    ]
