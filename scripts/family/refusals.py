"""Why a package does not resolve under an image's constraints, in one line out of uv's many."""

from __future__ import annotations

import re
from collections.abc import Mapping

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

# As in `keras-hub>=0.19.0,<=0.21.1 depends on keras>=3.5`.
WANTS = re.compile(r"(\S+) depends on ([^\s,]+(?:,[<>=!~][^\s,]+)*)")
# As in `tfx-bsl>=1.4.0,<=1.15.0 has no wheels with a matching Python ABI tag (e.g., `cp311`)`.
NO_WHEEL = re.compile(r"(\S+) has no wheels with a matching (Python|platform)")
NOT_ANY = re.compile(r"you require (\S+), which does not allow any versions")
MARKER = re.compile(r"\{[^}]*\}")
LACKS = {
    "Python": "has no wheel for the image's Python",
    "platform": "has no wheel for the image's glibc",
}


def reason(said: str, constraints: Mapping[str, SpecifierSet]) -> str:
    """Return who wants what, and which constraint that is against.

    Of several versions that want another version of one package, or have no wheel, the newest is
    named, which uv comes to last.

    Args:
        said: uv's message.
        constraints: what the image allows, by package.
    """
    flat = MARKER.sub("", " ".join(said.partition("\nhint:")[0].split()))
    if found := NOT_ANY.search(flat):
        return f"no version of it fits this release: the constraint is `{found[1]}`"
    facts: dict[tuple[str, str], tuple[int, str, str]] = {}
    for match in WANTS.finditer(flat):
        wanted = _requirement(match[2])
        if wanted is None or _is_constraint(wanted, constraints):
            continue
        facts["wants", wanted.name] = (match.start(), f"`{match[1]}` wants `{wanted}`", wanted.name)
    for match in NO_WHEEL.finditer(flat):
        subject = _requirement(match[1])
        name = subject.name if subject else ""
        facts[match[2], name] = (match.start(), f"`{match[1]}` {LACKS[match[2]]}", name)
    held = {
        name: f"`{name}{constraints[name]}`"
        for _, _, name in sorted(facts.values(), reverse=True)
        if name in constraints
    }
    told = [fact for _, fact, _ in sorted(facts.values(), reverse=True)]
    if not told:
        return " ".join(flat.split("cause: ")[-1].split())
    return "; ".join(told) + (f"; constraints: {', '.join(held.values())}" if held else "")


def _requirement(text: str) -> Requirement | None:
    try:
        found = Requirement(text.rstrip(","))
    except InvalidRequirement:
        return None
    found.name = str(canonicalize_name(found.name))
    return found


def _is_constraint(wanted: Requirement, constraints: Mapping[str, SpecifierSet]) -> bool:
    """Tell whether it is uv's way of saying a constraint: as if every package wanted it."""
    return set(wanted.specifier) <= set(constraints.get(wanted.name, SpecifierSet()))
