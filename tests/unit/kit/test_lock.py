"""Locks: what is written is read back, what is broken is said, what moved is shown."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.tags import Tag
from packaging.utils import parse_wheel_filename
from packaging.version import Version

from scripts import matrix
from scripts.errors import KitError
from scripts.locks import debs, lock, wheels
from scripts.locks.apt import Deb
from scripts.places import IMAGES

HEX = st.text("0123456789abcdef", min_size=64, max_size=64)
WORD = st.from_regex(r"[a-z][a-z0-9.+-]{1,20}", fullmatch=True)
VERSION = st.from_regex(r"[0-9][0-9a-z.+:~-]{0,20}", fullmatch=True)
DEBS = st.builds(Deb, WORD, VERSION, st.sampled_from(["all", "amd64"]), HEX, st.integers(0), WORD)
WHEELS = st.builds(
    wheels.Wheel, WORD, VERSION, HEX, WORD.map(lambda word: f"{word}.whl"), st.integers(0)
)
BASE = matrix.load().base["bookworm"]


@given(packages=st.lists(DEBS))
def test_a_debs_lock_is_read_as_it_was_written(
    packages: list[Deb], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("lock") / "debs.lock"
    debs.write_lock(path, "2.15-cpu", BASE, packages)
    assert debs.read_lock(path) == tuple(sorted(packages))


@given(packages=st.lists(WHEELS))
def test_a_requirements_lock_is_read_as_it_was_written(
    packages: list[wheels.Wheel], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("lock") / "requirements.lock"
    wheels.write_lock(path, "2.15-cpu", BASE, packages)
    assert wheels.read_lock(path) == tuple(sorted(packages))


@pytest.mark.parametrize("read", [debs.read_lock, wheels.read_lock])
def test_a_broken_lock_is_named_by_file_and_line(tmp_path: Path, read: object) -> None:
    path = tmp_path / "some.lock"
    path.write_text("# a comment\nnot a row\n")
    assert callable(read)
    with pytest.raises(KitError, match=r"some\.lock:2: .*`make lock`"):
        read(path)
    with pytest.raises(KitError, match=r"absent\.lock: No such file"):
        read(tmp_path / "absent.lock")


def test_the_wheel_that_fits_best_is_locked() -> None:
    """The order is pip's own: the interpreter's ABI before the stable one, before pure Python."""
    ranked = {
        Tag("cp311", "cp311", "manylinux_2_28_x86_64"): 0,
        Tag("cp37", "abi3", "manylinux_2_17_x86_64"): 1,
        Tag("py3", "none", "any"): 2,
    }
    names = [
        "x-1-py3-none-any.whl",
        "x-1-cp311-cp311-manylinux_2_28_x86_64.whl",
        "x-1-cp37-abi3-manylinux_2_17_x86_64.whl",
        "x-1-cp312-cp312-manylinux_2_28_x86_64.whl",
    ]
    rows = [{"url": f"there/{name}", "hashes": {"sha256": "0" * 64}, "size": 1} for name in names]
    package = {"name": "x", "version": "1", "wheels": rows}
    assert wheels.best(package, ranked).file_name == names[1]
    with pytest.raises(KitError, match="x==1: no wheel fits"):
        wheels.best(package | {"wheels": rows[3:]}, ranked)


def test_images_on_one_stack_share_its_wheels_and_all_share_the_debs() -> None:
    """Or the layers would not be the same bytes."""
    known = matrix.load()
    home = {tag: IMAGES / tag for tag in known.image}
    assert len({debs.read_lock(path / lock.DEBS_LOCK) for path in home.values()}) == 1
    for name, stack in known.cuda.items():
        pins = {pin.partition("==")[0] for pin in stack.wheels}
        rows = {
            tuple(
                wheel
                for wheel in wheels.read_lock(home[tag] / lock.REQUIREMENTS_LOCK)
                if wheel.name in pins
            )
            for tag, image in known.image.items()
            if image.cuda == name
        }
        assert len(rows) == 1, name
        assert {wheel.name for wheel in rows.pop()} == pins


@pytest.mark.parametrize("tag", matrix.load().image)
def test_every_committed_lock_is_whole(tag: str) -> None:
    """As `make lock` writes it: sorted, one wheel a package, and nothing from another index."""
    known = matrix.load()
    image, path = known.image[tag], IMAGES / tag / lock.REQUIREMENTS_LOCK
    locked = wheels.read_lock(path)
    base = known.base[image.base]
    names = [wheel.name for wheel in locked]
    assert names == sorted(set(names))
    packages = {"tensorflow" if image.device == "gpu" else "tensorflow-cpu", "pip", "numpy"}
    assert packages <= set(names)
    ranked = set(wheels.supported(base))
    for wheel in locked:
        name, version, _, tags = parse_wheel_filename(wheel.file_name)
        assert (name, str(version)) == (wheel.name, str(Version(wheel.version)))
        assert tags & ranked, wheel.file_name


@pytest.mark.parametrize("tag", matrix.load().image)
def test_every_committed_lock_has_the_form_that_make_lock_writes(tag: str, tmp_path: Path) -> None:
    base = matrix.load().base[matrix.load().image[tag].base]
    home = IMAGES / tag
    debs.write_lock(tmp_path / "debs", tag, base, debs.read_lock(home / lock.DEBS_LOCK))
    assert (tmp_path / "debs").read_text() == (home / lock.DEBS_LOCK).read_text()
    locked = wheels.read_lock(home / lock.REQUIREMENTS_LOCK)
    wheels.write_lock(tmp_path / "wheels", tag, base, locked)
    assert (tmp_path / "wheels").read_text() == (home / lock.REQUIREMENTS_LOCK).read_text()


def test_what_moved_is_shown() -> None:
    before = {"wheel keras": "2.14", "deb tar": "1"}
    after = {"wheel keras": "2.15", "wheel numpy": "1.26"}
    assert list(lock.difference(before, after)) == [
        "deb tar: 1 -> (none)",
        "wheel keras: 2.14 -> 2.15",
        "wheel numpy: (none) -> 1.26",
    ]


def test_a_lock_that_the_matrix_has_left_behind_is_noticed(
    chosen: matrix.Chosen, tmp_path: Path
) -> None:
    home = tmp_path / "2.15-cpu"
    home.mkdir()
    debs.write_lock(home / "debs.lock", "2.15-cpu", BASE, [])
    wheels.write_lock(home / "requirements.lock", "2.15-cpu", BASE, [])
    said = list(lock.contradictions(chosen, tmp_path))
    assert len(said) == len(BASE.packages) + 1
    assert "tensorflow-cpu==2.15.1 is not what it names" in said[-1]
