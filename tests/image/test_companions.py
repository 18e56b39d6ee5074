"""What people put on an image works there, or pip refuses it: each package on its own.

What was seen of whom stands in images/companions.toml. A failure that is not in it is one of this
test, and so is one that is in it and is none any more.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import uv

from scripts import matrix
from scripts.family import tried
from scripts.family.tried import Tried
from scripts.proof import prove
from tests.image.conftest import CERTIFICATES, PROXIES, RunInImage

PROGRAM = Path(__file__).parent / "companions/try_one.py"
ASKED_FOR = matrix.load().family.asked_for
SEEN = tried.read()
# `make test-companions` sets it to all, and to record where it is to write the file; else a sample
# is tried, in the default image.
HOW = os.environ.get("TEST_COMPANIONS", "")
SAMPLE = ("tensorflow-text", "keras-hub", "tensorboard-plugin-profile", "optuna", "matplotlib")
# What is imported, where it is not the package's name.
MODULES = {
    "google-cloud-storage": "google.cloud.storage",
    "hydra-core": "hydra",
    "opencv-python-headless": "cv2",
    "pillow": "PIL",
    "scikit-learn": "sklearn",
}
# On other platforms TensorFlow's wheels have had these names, too.
THIRD_NAMES = ("tensorflow-gpu", "tensorflow-intel", "tensorflow-cpu-aws")
# As in `I0000 00:00:1795748708.258320      19 port.cc:153]`: 2.21 prints some at any level, and
# they begin with the time and the thread.
STAMP = re.compile(r"^([IWEF])\d{4} [\d:.]+ +\d+ ", re.MULTILINE)
# In this order a failure is told; of several the first is the cause of the others.
CHECKED = ("own import", "import", "pip check", "uv pip check", "digits")
Report = dict[str, Any]
Try = Callable[[str, str], Report]


def wanted() -> list[str]:
    """Return the tags of the images to try: one, all, or those that have been tried before."""
    if not HOW:
        return ["2.15-cpu"]
    asked = os.environ.get("TEST_COMPANIONS_IMAGE")
    return [one.tag for one in matrix.load().choose(asked)] if asked else list(SEEN)


def last_line(said: str) -> str:
    return ([line.strip() for line in said.splitlines() if line.strip()] or ["nothing is said"])[-1]


def refusal(said: str) -> str:
    """Return pip's own reason: what wants what, or that there is nothing."""
    lines = [line.strip() for line in said.splitlines()]
    if "The conflict is caused by:" in lines:
        begin = lines.index("The conflict is caused by:") + 1
        named = lines[begin : lines.index("", begin)]
        # Of many versions the newest is named, which is the first; and the constraint.
        wants = [line for line in named if " depends on " in line][:1]
        return "; ".join([*wants, *(line for line in named if "(constraint)" in line)])
    return next((line for line in lines if line.startswith("ERROR: ")), last_line(said))


def printed(report: Report) -> list[str]:
    """Return what the import of TensorFlow printed, on stdout and stderr, but for the time."""
    return [STAMP.sub(r"\1 ", said) for said in report["import"][1:]]


def judged(report: Report, reference: Report) -> Tried:
    """Return what works, and what does not, by two reports: with the package and without."""
    status, out, err = report["pip"]
    if status:
        return Tried(fails="pip", reason=refusal(out + err))
    version = report["version"]
    for check in CHECKED:
        status, out, err = report[check]
        if status:
            fails = "weights" if check == "digits" else check
            return Tried.model_validate(
                {"version": version, "fails": fails, "reason": last_line(err or out)}
            )
    if printed(report) != printed(reference):
        said = last_line("".join(printed(report)))
        return Tried(version=version, fails="import", reason=f"it prints: {said}")
    if report["weights"] != reference["weights"]:
        return Tried(version=version, fails="weights", reason="they differ")
    return Tried(version=version)


@pytest.fixture(scope="module")
def try_in(run_in_release: Callable[[str], RunInImage]) -> Try:
    """Return a function that tries a package in a fresh container of an image."""
    for_pip = {name: os.environ[name] for name in PROXIES if name in os.environ}
    for_pip["PIP_CERT"] = f"/work/{Path(CERTIFICATES).name}"
    inputs = [PROGRAM, Path(uv.find_uv_bin()), Path(CERTIFICATES), *prove.INPUTS]

    def try_one(tag: str, package: str) -> Report:
        module = MODULES.get(package, package.replace("-", "_"))
        ended = run_in_release(tag)(
            ["python", PROGRAM.name, package, module, "./uv"],
            env={"FOR_PIP": json.dumps(for_pip)},
            inputs=inputs,
            outputs=["report.json"],
            settings={"network_mode": "bridge"},
        )
        assert ended.exit_code == 0, ended.stdout + ended.stderr
        report: Report = json.loads(ended.files["report.json"])
        return report

    return try_one


@pytest.fixture(scope="module", params=wanted())
def tag(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def reference(tag: str, try_in: Try) -> Report:
    """The report of the image as it is, in which everything works."""
    report = try_in(tag, "")
    assert {name: found[0] for name, found in report.items()} == dict.fromkeys(report, 0)
    return report


@pytest.mark.parametrize("package", ASKED_FOR if HOW else SAMPLE)
def test_it_works_or_pip_says_why_not(
    tag: str, package: str, reference: Report, try_in: Try
) -> None:
    report = try_in(tag, package)
    seen = judged(report, reference)
    assert not any(f" {name}-" in report["pip"][1] for name in THIRD_NAMES)
    print(f"{tag} {package} {seen.version}: {seen.fails or 'works'}. {seen.reason}")  # noqa: T201
    if HOW == "record":
        tried.write(tried.taken_down(tried.read(), tag, {package: seen}, ASKED_FOR))
    expected = SEEN.get(tag, {}).get(package, Tried())
    if seen.fails == "pip":
        assert "constraint" in "".join(report["pip"][1:]) or expected.fails == "pip", report["pip"]
    elif HOW != "record":
        assert seen.fails == expected.fails, report


@pytest.mark.parametrize("package", THIRD_NAMES)
def test_a_third_name_brings_no_second_tensorflow(package: str, try_in: Try) -> None:
    """It is refused, or an empty package."""
    report = try_in("2.15-cpu", package)
    assert (report["pip"][0] != 0) == (package != "tensorflow-intel"), report["pip"]
    if package == "tensorflow-intel":
        assert judged({**report, "own import": report["import"]}, report).fails == ""
        assert report["version"] == "0.0.1"
