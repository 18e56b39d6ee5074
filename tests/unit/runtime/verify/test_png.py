"""Pictures are the same if their pixels are, however they were filtered and packed."""

import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tf_repro.verify.comparing import png

SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", 0)


def packed(
    size: tuple[int, int], colour: int, lines: bytes, bits: int = 8, more: bytes = b""
) -> bytes:
    header = struct.pack(">IIBBBBB", *size, bits, colour, 0, 0, 0)
    data = chunk(b"IDAT", zlib.compress(lines))
    return png.SIGNATURE + chunk(b"IHDR", header) + more + data + chunk(b"IEND", b"")


def filtered(rows: list[bytes], kinds: list[int], step: int) -> bytes:
    """Filter rows, each in its own way, as an encoder does."""
    out = bytearray()
    above = bytes(len(rows[0]))
    for kind, row in zip(kinds, rows, strict=True):
        out.append(kind)
        for at, value in enumerate(row):
            left, corner = (row[at - step], above[at - step]) if at >= step else (0, 0)
            up = above[at]
            guess = left + up - corner
            nearest = sorted((left, up, corner), key=lambda one: abs(guess - one))[0]
            out.append((value - (0, left, up, (left + up) // 2, nearest)[kind]) % 256)
        above = row
    return bytes(out)


@given(st.data(), st.sampled_from(sorted(SAMPLES)), st.integers(1, 5), st.integers(1, 5))
def test_every_filter_gives_the_pixels_back(
    data: st.DataObject, colour: int, width: int, height: int
) -> None:
    step = SAMPLES[colour]
    stride = width * step
    rows = [data.draw(st.binary(min_size=stride, max_size=stride)) for _ in range(height)]
    kinds = data.draw(st.lists(st.integers(0, 4), min_size=height, max_size=height))
    one = png.read(packed((width, height), colour, filtered(rows, kinds, step)))
    plain = png.read(packed((width, height), colour, filtered(rows, [0] * height, step)))
    assert one.pixels == plain.pixels == b"".join(rows)
    assert one == plain


@given(st.binary())
def test_what_is_no_picture_is_said_to_be_none(data: bytes) -> None:
    for each in (data, png.SIGNATURE + data, packed((1, 1), 0, data[:1])):
        with pytest.raises(png.CannotDecodeError):
            png.read(each)


def test_how_far_pictures_are_apart() -> None:
    palette = chunk(b"PLTE", bytes(6))
    one, other = (png.read(packed((3, 1), 0, bytes([0, *row]))) for row in ((1, 2, 3), (1, 9, 4)))
    assert one != other
    assert png.apart(one, other) == "2 of 3 pixels differ, by up to 7 of 255"
    one, other = (png.read(packed((1, 1), 3, bytes([0, n]), more=palette)) for n in (0, 1))
    assert png.apart(one, other) == "1 of 1 pixels differ"
    other = png.read(packed((1, 1), 3, bytes(2), more=chunk(b"PLTE", bytes([1] * 6))))
    assert png.apart(one, other) == "other colours"
    one = png.read(packed((1, 1), 0, bytes(2)))
    assert png.apart(one, other) == "other kinds of pixels"
    assert one != "a picture of 1 x 1 pixels"


def test_other_depths_are_compared_as_they_are() -> None:
    with pytest.raises(png.CannotDecodeError, match="8 bits"):
        png.read(packed((8, 1), 0, bytes(2), bits=1))
