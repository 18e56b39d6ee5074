"""The constraints file: pins where bits depend on it, stated ranges elsewhere, and companions."""

import itertools
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from scripts import matrix
from scripts.build import constraints
from scripts.locks import wheels
from scripts.locks.wheels import Wheel

REQUIRED: Mapping[str, list[str]] = {
    "tensorflow-cpu": [
        "numpy<2,>=1.23",
        "protobuf!=4.21.0,<5,>=3.20.3",
        "tensorboard~=2.15.0",
        "nvidia-nccl-cu12==2.19; extra == 'and-cuda'",
        "wrapt<1.15; python_version < '3.12'",
        "gast; sys_platform == 'darwin'",
        "six",
    ],
    "tensorboard": ["protobuf>=3.19.6", "werkzeug>=1.0.1", "elsewhere>=1"],
    "werkzeug": ["markupsafe>=2.1.1"],
}
NAMES = (
    *("tensorflow-cpu", "numpy", "protobuf", "tensorboard", "werkzeug", "markupsafe", "wrapt"),
    *("gast", "six", "pip", "nvidia-nccl-cu12"),
)


def wheel(name: str) -> Wheel:
    return Wheel(name, "1.0", "0" * 64, f"{name}-1.0-py3-none-any.whl", 1)


def requires(one: Wheel) -> Iterable[Requirement]:
    return map(Requirement, REQUIRED.get(one.name, []))


@pytest.fixture
def chosen() -> matrix.Chosen:
    return replace(matrix.load().named("2.15-cpu"), companions={"TF_Keras": "~=2.15.0"})


def test_pins_ranges_of_the_whole_closure_and_companions(chosen: matrix.Chosen) -> None:
    assert constraints.text([*map(wheel, NAMES)], chosen, requires).splitlines() == [
        "markupsafe>=2.1.1",
        "numpy==1.0",
        "nvidia-nccl-cu12==1.0",
        "protobuf!=4.21.0,<5,>=3.19.6,>=3.20.3",
        "tensorboard~=2.15.0",
        "tensorflow==2.15.1",
        "tensorflow-cpu==2.15.1",
        "tf-keras~=2.15.0",
        "werkzeug>=1.0.1",
        "wrapt<1.15",
    ]


def test_what_a_wheel_requires_is_read_from_itself_and_not_from_what_it_brings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wheels, "cached", lambda one: tmp_path / one.file_name)
    one = wheel("setuptools")
    with zipfile.ZipFile(tmp_path / one.file_name, "w") as archive:
        head = "Metadata-Version: 2.1\nName: {}\nVersion: 1.0\nRequires-Dist: {}\n"
        archive.writestr("setuptools-1.0.dist-info/METADATA", head.format("setuptools", "six>1"))
        archive.writestr("vendored/x-1.0.dist-info/METADATA", head.format("x", "y>1"))
    assert [str(each) for each in constraints.required(one)] == ["six>1"]


def test_every_release_says_which_companions_fit() -> None:
    known = matrix.load()
    releases = {tag.partition("-")[0] for tag in known.image}
    assert known.companions.keys() == releases
    rows = [set(known.companions[release]) for release in sorted(known.companions)]
    # A row may begin or end with a release, as a package stops to fit or starts to, but has no gap.
    for name in set().union(*rows):
        held = [name in row for row in rows]
        assert sum(a != b for a, b in itertools.pairwise(held)) <= 1, name
    assert rows[-1] == rows[-2] >= {"tf-keras", "tensorflow-text", "tensorflow-probability"}
