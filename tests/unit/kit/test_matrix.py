"""images/matrix.toml is checked data: every mistake is named by table and key."""

from pathlib import Path

import pytest

from scripts import matrix, tags
from scripts.errors import KitError
from scripts.locks import lock
from scripts.places import IMAGES

# A matrix of one image, so that a change below is one mistake, however large the family grows.
GOOD = """\
[family]
registry = ""
name = "org/tf-repro"
title = "tf-repro: reproducible TensorFlow"
source = "https://github.com/org/tf-repro"
licences = "Apache-2.0"
epoch = 2026-11-01T00:00:00Z
constrained = ["tensorflow*", "numpy"]

[base.bookworm]
codename = "bookworm"
python = "3.11"
packages = ["python3"]

[image."2.15-cpu"]
base = "bookworm"
device = "cpu"
tensorflow = "2.15.1"
requirements = ["tensorflow-cpu==2.15.1"]
"""


def load(tmp_path: Path, text: str) -> matrix.Matrix:
    path = tmp_path / "matrix.toml"
    path.write_text(text)
    return matrix.load(path)


def test_the_matrix_of_the_project_is_valid() -> None:
    assert "2.15-cpu" in matrix.load().image


def test_the_matrix_of_these_tests_is_valid(tmp_path: Path) -> None:
    assert list(load(tmp_path, GOOD).image) == ["2.15-cpu"]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (('device = "cpu"', 'device = "tpu"'), '[image."2.15-cpu"] device: Input should be'),
        (('tensorflow = "2.15.1"', 'tensorflow = "2.15"'), '[image."2.15-cpu"] tensorflow: '),
        (('tensorflow = "2.15.1"', 'tensorflow = "2.16.2"'), "is called 2.16-cpu"),
        (('base = "bookworm"', 'base = "trixie"'), "there is no table [base.trixie]"),
        (('python = "3.11"', 'pyton = "3.11"'), "[base.bookworm] pyton: Extra inputs"),
        (('[image."2.15-cpu"]', "[image.newest]"), "[image.newest]: String should match"),
        (("epoch = 2026-11-01T00:00:00Z", "epoch = 2026-11-01T00:00:00"), "[family] epoch: needs"),
        (('name = "org/tf-repro"', 'name = "Org/TF"'), "[family] name: String should match"),
        (("[family]", "[family"), "not TOML"),
        (
            ('device = "cpu"', 'device = "cpu"\ncuda = "12.2"'),
            '[image."2.15-cpu"] cuda: a gpu image',
        ),
        (
            ('device = "cpu"', 'device = "cpu"\ngpu_code = ["sm_75"]'),
            '[image."2.15-cpu"] gpu_code: a gpu image',
        ),
    ],
)
def test_a_mistake_is_named_by_table_and_key(
    tmp_path: Path, change: tuple[str, str], expected: str
) -> None:
    assert change[0] in GOOD
    with pytest.raises(KitError, match=r"matrix\.toml") as caught:
        load(tmp_path, GOOD.replace(*change, 1))
    assert expected in str(caught.value)


def test_every_mistake_is_told_at_once(tmp_path: Path) -> None:
    broken = GOOD.replace('device = "cpu"', 'device = "x"').replace(
        'python = "3.11"', 'python = "3"'
    )
    with pytest.raises(KitError) as caught:
        load(tmp_path, broken)
    assert len(str(caught.value).splitlines()) == 2


def test_registry_and_name_of_the_environment_win(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGISTRY", "registry.example:5000")
    monkeypatch.setenv("IMAGE_NAME", "team/tf")
    assert matrix.load().family.repository == "registry.example:5000/team/tf"


def test_a_bad_name_in_the_environment_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMAGE_NAME", "Not A Name")
    with pytest.raises(KitError, match=r"\[family\] name"):
        matrix.load()


def test_an_unknown_image_lists_the_known_ones() -> None:
    with pytest.raises(KitError, match=r"IMAGE=2.99-cpu: no such image .* 2.15-cpu"):
        matrix.load().named("2.99-cpu")


def test_names() -> None:
    known = matrix.load()
    chosen, newest = known.named("2.15-cpu"), known.named("2.21-gpu")
    assert tags.names_of(chosen) == (
        "org/tf-repro:2.15-cpu",
        "org/tf-repro:2.15.1-cpu",
    )
    assert all(name.endswith("-drifted") for name in tags.names_of(chosen, drifted=True))
    digest = f"sha256:0123456789ab{'c' * 52}"
    published = tags.names_of(newest, (*tags.FIXED, *tags.MOVING), config_digest=digest)
    assert published == (
        "org/tf-repro:2.21.0-gpu",
        "org/tf-repro:2.21.0-gpu-0123456789ab",
        "org/tf-repro:2.21-gpu",
        "org/tf-repro:latest-gpu",
    )


def test_the_newest_is_so_by_number_and_not_by_letter(tmp_path: Path) -> None:
    image = GOOD[GOOD.index("[image") :]
    known = load(tmp_path, f"{GOOD}\n{image.replace('2.15', '2.9')}")
    assert [one.tag for one in known.choose("all") if one.newest] == ["2.15-cpu"]


def test_the_committed_locks_are_those_of_the_matrix() -> None:
    for chosen in matrix.load().choose("all"):
        assert list(lock.contradictions(chosen)) == []


def test_no_lock_names_an_address() -> None:
    """Save where the project's own source is, which every image's label says."""
    ours = matrix.load().family.source
    locks = list(IMAGES.glob("*/*.lock"))
    assert [path for path in locks if "://" in path.read_text().replace(ours, "")] == []
    assert locks
