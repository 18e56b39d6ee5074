"""What a package says of its licence, as an SPDX expression.

A name that SPDX does not have becomes a `LicenseRef-…`, so that nothing that a package says is
lost, and nothing is taken for what it is not. The tables are ours and not a library's: the result
is in the image, whose bytes must not move when a library of the kit learns a new name.
https://spdx.github.io/spdx-spec/v2.3/SPDX-license-expressions/
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from email.message import Message

NOASSERTION = "NOASSERTION"
DEBIAN, PYPI = "LicenseRef-Debian-", "LicenseRef-PyPI-"

# Names of https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/ and what is written in
# their place, in lower case; the GNU licences follow a rule, see `_gnu`.
NAMES = {
    "0bsd": "0BSD",
    "apache": "Apache-2.0",
    "apache 2.0": "Apache-2.0",
    "apache license 2.0": "Apache-2.0",
    "apache license, version 2.0": "Apache-2.0",
    "apache-2": "Apache-2.0",
    "apache-2.0": "Apache-2.0",
    "artistic": "Artistic-1.0-Perl",
    "artistic-2": "Artistic-2.0",
    "artistic-2.0": "Artistic-2.0",
    "3-clause bsd license": "BSD-3-Clause",
    "bsd 3-clause": "BSD-3-Clause",
    "bsd-2": "BSD-2-Clause",
    "bsd-2-clause": "BSD-2-Clause",
    "bsd-3": "BSD-3-Clause",
    "bsd-3-clause": "BSD-3-Clause",
    "bsd-4-clause": "BSD-4-Clause",
    "bsd-4-clause-uc": "BSD-4-Clause-UC",
    "beerware": "Beerware",
    "bsl-1": "BSL-1.0",
    "cc-by-3.0": "CC-BY-3.0",
    "cc0": "CC0-1.0",
    "cc0-1.0": "CC0-1.0",
    "expat": "MIT",
    "fsfap": "FSFAP",
    "fsfullr": "FSFULLR",
    "hpnd": "HPND",
    "isc": "ISC",
    "latex2e": "Latex2e",
    "mit": "MIT",
    "mit license": "MIT",
    "mpl-1.1": "MPL-1.1",
    "mpl-2": "MPL-2.0",
    "mpl-2.0": "MPL-2.0",
    "ms-pl": "MS-PL",
    "psf-2.0": "PSF-2.0",
    "sleepycat": "Sleepycat",
    "x11": "X11",
    "zlib": "Zlib",
}
GNU = re.compile(r"(?P<name>GPL|LGPL|AGPL)-(?P<major>\d)(?:\.(?P<minor>\d))?(?P<later>\+)?")
EXCEPTIONS = {
    "autoconf exception": "Autoconf-exception-generic",
    "bison exception": "Bison-exception-2.2",
    "bison-2.2 exception": "Bison-exception-2.2",
    "linux-syscall-note exception": "Linux-syscall-note",
    "texinfo exception": "Texinfo-exception",
}
# Trove classifiers, those that mean one licence. "BSD License" means any of several.
CLASSIFIERS = {
    "Apache Software License": "Apache-2.0",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
    "zlib/libpng License": "Zlib",
}
# Some write the whole text where a name belongs.
LONGEST_NAME = 80


def of_debian(copyright_file: str) -> tuple[str, str]:
    """Return the licences in a Debian package's copyright file.

    Args:
        copyright_file: the text of usr/share/doc/<package>/copyright.

    Returns:
        An expression that holds all of them, for every file of the source package, and what a
        reader should know of it. NOASSERTION if the file is not machine-readable.
    """
    if not copyright_file.lstrip().startswith("Format"):
        named = sorted(
            set(re.findall(r"/usr/share/common-licenses/([A-Z][\w.-]*\w)", copyright_file))
        )
        common = f"; it refers to the common licences {', '.join(named)}" if named else ""
        return NOASSERTION, f"the package's copyright file is not machine-readable{common}"
    fields = re.findall(r"^License:[ \t]*(.*)$", copyright_file, re.MULTILINE)
    found = {expression for field in fields if (expression := expression_of(field))}
    if not found:
        return NOASSERTION, "the package's copyright file names no licence"
    return all_of(found), "all licences that the copyright file of the source package names"


def all_of(expressions: Iterable[str]) -> str:
    """Return the expression that holds all of these.

    >>> all_of({"MIT", "ISC OR MIT"})
    '(ISC OR MIT) AND MIT'
    """
    several = sorted(set(expressions))
    if len(several) == 1:
        return several[0]
    return " AND ".join(f"({one})" if " OR " in one or " AND " in one else one for one in several)


def expression_of(field: str) -> str:
    """Return the SPDX expression of a `License:` field of Debian's; empty if it says nothing.

    >>> expression_of("GPL-1+ or Artistic, and Expat")
    '(GPL-1.0-or-later OR Artistic-1.0-Perl) AND MIT'
    >>> expression_of("GPL-3+ with Bison exception")
    'GPL-3.0-or-later WITH Bison-exception-2.2'
    >>> expression_of("permissive")
    'LicenseRef-Debian-permissive'
    """
    text = " ".join(field.replace("and/or", "or").split())
    # A comma binds less than any word; then "or" binds less than "and".
    for separator, operator in (
        (r", and ", " AND "),
        (r", or ", " OR "),
        (r",? or ", " OR "),
        (r",? and ", " AND "),
    ):
        parts = [one for one in re.split(separator, text, flags=re.IGNORECASE) if one]
        if len(parts) > 1:
            expressions = [one for part in parts if (one := expression_of(part))]
            return operator.join(
                f"({one})" if " OR " in one or " AND " in one else one for one in expressions
            )
    return _single(text, DEBIAN)


def of_wheel(metadata: Message) -> tuple[str, str]:
    """Return the licence of a wheel: an expression, and what a reader should know of it.

    Args:
        metadata: its METADATA, see https://packaging.python.org/specifications/core-metadata/.
    """
    if expression := metadata.get("License-Expression"):
        return str(expression), "the wheel's License-Expression"
    name = str(metadata.get("License") or "").strip()
    classifiers = [
        str(classifier).rpartition(" :: ")[2]
        for classifier in metadata.get_all("Classifier", [])
        if str(classifier).startswith("License ::")
    ]
    if name.lower() in NAMES:
        return NAMES[name.lower()], "the wheel's field License"
    if classifiers and all(classifier in CLASSIFIERS for classifier in classifiers):
        found = all_of(CLASSIFIERS[classifier] for classifier in classifiers)
        return found, "the wheel's classifiers"
    if name and len(name) <= LONGEST_NAME and "\n" not in name:
        return _single(name, PYPI) or NOASSERTION, "the wheel's field License"
    if classifiers:
        return all_of(_single(one, PYPI) for one in classifiers), "the wheel's classifiers"
    return NOASSERTION, "the wheel's metadata names no licence"


def references(expressions: Sequence[str]) -> list[str]:
    """Return every `LicenseRef-…` in some expressions, sorted.

    >>> references(["MIT AND LicenseRef-Debian-BSLA", "ISC"])
    ['LicenseRef-Debian-BSLA']
    """
    return sorted(set(re.findall(r"LicenseRef-[A-Za-z0-9.-]+", " ".join(expressions))))


def _single(name: str, prefix: str) -> str:
    """Return the SPDX name of one licence, a reference if SPDX has none, empty if it is no name."""
    known = NAMES.get(name.lower()) or _gnu(name)
    if known:
        return known
    licence, _, exception = name.partition(" with ")
    if exception.lower() in EXCEPTIONS and (base := _gnu(licence)):
        return f"{base} WITH {EXCEPTIONS[exception.lower()]}"
    slug = re.sub(r"[^A-Za-z0-9.]+", "-", name.replace("+", "-or-later-")).strip("-.")
    return f"{prefix}{slug}" if slug else ""


def _gnu(name: str) -> str | None:
    """Return SPDX's name of a GNU licence with a version, as in GPL-2+ or LGPL-2.1.

    >>> _gnu("LGPL-2+"), _gnu("GPL-3.0")
    ('LGPL-2.0-or-later', 'GPL-3.0-only')
    """
    if not (match := GNU.fullmatch(name)):
        return None
    later = "or-later" if match["later"] else "only"
    return f"{match['name']}-{match['major']}.{match['minor'] or 0}-{later}"
