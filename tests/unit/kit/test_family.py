"""The page of the family says what the matrix, the locks and the measurements say."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts import matrix
from scripts.errors import KitError
from scripts.family import page, sizes

KNOWN = matrix.load()


def test_the_committed_page_is_fresh() -> None:
    assert page.README.read_text() == page.page(KNOWN), "stale: `make readme` writes it"


def test_every_image_is_on_the_page() -> None:
    text = page.page(KNOWN)
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    for tag, image in KNOWN.image.items():
        assert any(row.startswith(f"| `{tag}` | {image.tensorflow} |") for row in rows)


def test_machine_code_and_ptx_are_told_apart() -> None:
    """Of compute_90, TensorFlow's build makes both: see matrix.toml."""
    image = KNOWN.image["2.16-gpu"]
    assert page.capabilities(image) == ["5.0", "6.0", "7.0", "8.0", "9.0"]
    assert page.capabilities(image, "compute_") == ["9.0"]


def test_measurements_add_up_in_the_order_of_the_matrix(tmp_path: Path) -> None:
    path = tmp_path / "sizes.json"
    sizes.write({"2.21-cpu": sizes.Size(3, 4, ("sha256:0",))}, KNOWN, path)
    sizes.write(
        {"2.12-cpu": sizes.Size(1, 2, ("sha256:0",)), "2.21-cpu": sizes.Size(4, 5, ("sha256:0",))},
        KNOWN,
        path,
    )
    assert list(sizes.read(path).items()) == [
        ("2.12-cpu", sizes.Size(1, 2, ("sha256:0",))),
        ("2.21-cpu", sizes.Size(4, 5, ("sha256:0",))),
    ]
    assert sizes.Size(image=3, plain=4, layers=()).saved == pytest.approx(0.25)


def test_images_on_one_cuda_stack_share_its_layer() -> None:
    """As measured: the root file system, the environment and CUDA; not TensorFlow."""
    measured = sizes.read()
    stacks: dict[str | None, list[tuple[str, ...]]] = {}
    for tag, size in measured.items():
        stacks.setdefault(KNOWN.image[tag].cuda, []).append(size.layers)
    for stack, images in stacks.items():
        shared = 3 if stack else 2
        assert len({layers[:shared] for layers in images}) == 1, stack
        assert len({layers[shared] for layers in images}) == len(images), stack
    assert len({images[0][2] for stack, images in stacks.items() if stack}) == len(
        stacks.keys() - {None}
    )


@pytest.mark.parametrize("text", ["", "[]", '{"2.15-cpu": {"image": 1}}', '{"2.15-cpu": 1}'])
def test_measurements_that_cannot_be_read_are_one_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "sizes.json"
    path.write_text(text)
    with pytest.raises(KitError, match="`make sizes` writes it"):
        sizes.read(path)


def test_a_hard_link_takes_no_room(tmp_path: Path) -> None:
    (tmp_path / "one").write_bytes(b"x" * 8192)
    alone = sizes.on_disk(tmp_path)
    (tmp_path / "two").hardlink_to(tmp_path / "one")
    assert sizes.on_disk(tmp_path) == alone
    (tmp_path / "three").write_bytes(b"x" * 8192)
    assert sizes.on_disk(tmp_path) == alone + 8192
