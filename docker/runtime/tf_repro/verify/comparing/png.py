"""Pictures in PNG, compared by their pixels.

https://www.w3.org/TR/png-3/
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

SIGNATURE = b"\x89PNG\r\n\x1a\n"
# Type of colour -> samples of a pixel.
_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_BITS = 8
# The chunks, besides the pixels, that say what is seen.
_SEEN = (b"PLTE", b"tRNS", b"gAMA", b"sRGB")


class CannotDecodeError(Exception):
    """It is no PNG, or one of a kind that is compared as the bytes that it is."""


@dataclass(frozen=True, eq=False)
class Picture:
    """What is seen of a picture, without its file's times and texts.

    Attributes:
        header: the content of IHDR: size, depth, colour, and so on.
        rest: what else decides how it looks, such as its palette.
        lines: the scan lines as they are filtered, each with its filter before it.
    """

    header: bytes
    rest: bytes
    lines: bytes

    @property
    def size(self) -> tuple[int, int]:
        """Width and height, in pixels."""
        width, height = struct.unpack_from(">II", self.header)
        return width, height

    @property
    def pixel_bytes(self) -> int:
        """How many bytes a pixel has."""
        return _SAMPLES[self.header[9]]

    @cached_property
    def pixels(self) -> bytes:
        """The samples of all pixels, row by row."""
        width, height = self.size
        stride = width * self.pixel_bytes
        out, above = bytearray(), bytes(stride)
        for at in range(0, height * (stride + 1), stride + 1):
            line = self.lines[at + 1 : at + 1 + stride]
            above = bytes(_unfiltered(self.lines[at], line, above, self.pixel_bytes))
            out += above
        return bytes(out)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Picture):
            return NotImplemented
        if (self.header, self.rest) != (other.header, other.rest):
            return False
        # One encoder filters equal pixels alike, and to undo that takes a second.
        return self.lines == other.lines or self.pixels == other.pixels

    __hash__ = None  # type: ignore[assignment]  # equal ones may be filtered in two ways

    def __str__(self) -> str:
        return "a picture of {} x {} pixels".format(*self.size)


def read(data: bytes) -> Picture:
    """Return what is seen of a PNG.

    Raises:
        CannotDecodeError: it is none, or interlaced, or has other than 8 bits a sample.
    """
    header = rest = packed = b""
    try:
        for kind, content in _chunks(data):
            if kind == b"IHDR":
                header = content
            elif kind == b"IDAT":
                packed += content
            elif kind in _SEEN:
                rest += kind + content
        width, height, bits, colour, _, _, interlaced = struct.unpack(">IIBBBBB", header)
        lines = zlib.decompress(packed)
    except (struct.error, zlib.error) as error:
        raise CannotDecodeError(str(error)) from error
    if bits != _BITS or interlaced or colour not in _SAMPLES:
        raise CannotDecodeError("it is interlaced, or has other than 8 bits a sample")
    stride = width * _SAMPLES[colour] + 1
    if len(lines) != height * stride or not {0, *_FILTERS}.issuperset(lines[::stride]):
        raise CannotDecodeError("it is cut, or has a filter that there is not")
    return Picture(header, rest, lines)


def apart(one: Picture, other: Picture) -> str:
    """Return in words how two pictures differ."""
    if one.header != other.header:
        return f"{one} and {other}" if one.size != other.size else "other kinds of pixels"
    if one.rest != other.rest:
        return "other colours"
    size = one.pixel_bytes
    ours, theirs = one.pixels, other.pixels
    differing = sum(
        ours[at : at + size] != theirs[at : at + size] for at in range(0, len(ours), size)
    )
    largest = max(abs(a - b) for a, b in zip(ours, theirs, strict=True))
    of = f"{differing} of {len(ours) // size} pixels differ"
    # A sample of a palette's picture is no brightness.
    return of if one.rest else f"{of}, by up to {largest} of 255"


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    if not data.startswith(SIGNATURE):
        raise CannotDecodeError("it is no PNG")
    at = len(SIGNATURE)
    while at < len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        yield kind, data[at + 8 : at + 8 + length]
        at += 12 + length


def _unfiltered(kind: int, line: bytes, above: bytes, step: int) -> bytearray:
    """Return a row's samples.

    https://www.w3.org/TR/png-3/#9Filters

    Args:
        kind: which filter: None, Sub, Up, Average or Paeth.
        line: the row as it is filtered.
        above: the samples of the row above it.
        step: bytes of a pixel.
    """
    if kind == 0:
        return bytearray(line)
    predicted = _FILTERS[kind]
    out = bytearray()
    for at, value in enumerate(line):
        left, corner = (out[at - step], above[at - step]) if at >= step else (0, 0)
        out.append((value + predicted(left, above[at], corner)) & 0xFF)
    return out


def _paeth(left: int, up: int, corner: int) -> int:
    guess = left + up - corner
    return min((left, up, corner), key=lambda one: abs(guess - one))


_FILTERS = {
    1: lambda left, _up, _corner: left,
    2: lambda _left, up, _corner: up,
    3: lambda left, up, _corner: (left + up) // 2,
    4: _paeth,
}
