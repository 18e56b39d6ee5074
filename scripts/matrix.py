"""images/matrix.toml as checked data: an error names the table and the key."""

from __future__ import annotations

import os
import re
import tomllib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

from packaging.version import Version as Release
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from scripts.errors import KitError
from scripts.places import IMAGES

MATRIX = IMAGES / "matrix.toml"

Version = Annotated[str, Field(pattern=r"^\d+\.\d+\.\d+$")]
Tag = Annotated[str, Field(pattern=r"^\d+\.\d+-(cpu|gpu)$")]
# What TensorFlow's kernels are compiled for, as in `sm_75`.
GpuCode = Annotated[str, Field(pattern=r"^(sm|compute)_\d+$")]
# One exact wheel, as in `nvidia-cublas-cu12==12.2.5.6`.
Pin = Annotated[str, Field(pattern=r"^[a-z0-9-]+==[0-9][0-9a-z.]*$")]
# The reference grammar of registries: lower case, separated by single dots, underscores, dashes.
# https://github.com/distribution/reference/blob/main/regexp.go
RepositoryName = Annotated[
    str, Field(pattern=r"^[a-z0-9]+([._-]+[a-z0-9]+)*(/[a-z0-9]+([._-]+[a-z0-9]+)*)*$")
]
Registry = Annotated[str, Field(pattern=r"^([A-Za-z0-9.-]+(:\d+)?)?$")]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Family(_Table):
    """What all images have in common."""

    registry: Registry
    name: RepositoryName
    title: str
    source: str
    licences: str
    epoch: datetime
    constrained: Annotated[tuple[str, ...], Field(min_length=1)]
    asked_for: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @field_validator("epoch")
    @classmethod
    def _in_utc(cls, epoch: datetime) -> datetime:
        if epoch.tzinfo is None:
            raise ValueError("needs a time zone: end it with Z")
        return epoch.astimezone(UTC)

    @property
    def source_date_epoch(self) -> int:
        """Seconds since 1970, see https://reproducible-builds.org/specs/source-date-epoch/."""
        return int(self.epoch.timestamp())

    @property
    def repository(self) -> str:
        """The name without a tag that `docker run` takes."""
        return f"{self.registry}/{self.name}" if self.registry else self.name


class Base(_Table):
    """A Debian release and the packages that are asked of it."""

    codename: Annotated[str, Field(pattern=r"^[a-z]+$")]
    python: Annotated[str, Field(pattern=r"^3\.\d+$")]
    packages: Annotated[tuple[str, ...], Field(min_length=1)]


class Cuda(_Table):
    """A CUDA stack: one layer of wheels, which all images that name it share."""

    cuda: Annotated[str, Field(pattern=r"^\d+\.\d+$")]
    cudnn: Annotated[str, Field(pattern=r"^\d+\.\d+$")]
    driver: Annotated[str, Field(pattern=r"^\d+(\.\d+)+$")]
    require: Annotated[str, Field(pattern=r"^cuda>=\d+\.\d+$")]
    wheels: Annotated[tuple[Pin, ...], Field(min_length=1)]
    loads: Annotated[dict[str, str], Field(min_length=1)]
    left_out: dict[Pin, str] = {}


class Image(_Table):
    """One image: a TensorFlow release on a base, and for a GPU on a CUDA stack."""

    base: str
    device: Literal["cpu", "gpu"]
    tensorflow: Version
    cuda: str | None = None
    gpu_code: tuple[GpuCode, ...] = ()
    requirements: Annotated[tuple[str, ...], Field(min_length=1)]
    loads: dict[str, str] = {}
    left_out: dict[Pin, str] = {}
    notes: tuple[str, ...] = ()


class Matrix(_Table):
    """The whole file."""

    family: Family
    base: dict[str, Base]
    cuda: dict[str, Cuda] = {}
    companions: dict[str, dict[str, str]] = {}
    image: dict[Tag, Image]

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Matrix:
        for tag, image in self.image.items():
            if image.base not in self.base:
                raise ValueError(f'[image."{tag}"] base: there is no table [base.{image.base}]')
            expected = f"{'.'.join(image.tensorflow.split('.')[:2])}-{image.device}"
            if tag != expected:
                raise ValueError(
                    f'[image."{tag}"]: tensorflow {image.tensorflow} on {image.device} is '
                    f"called {expected}"
                )
            if image.cuda not in (self.cuda if image.device == "gpu" else (None,)):
                known = ", ".join(self.cuda) or "none"
                raise ValueError(
                    f'[image."{tag}"] cuda: a gpu image names one of the tables [cuda.*], a cpu '
                    f"image none; there are: {known}"
                )
            if bool(image.gpu_code) != (image.device == "gpu"):
                raise ValueError(
                    f'[image."{tag}"] gpu_code: a gpu image has what its kernels are compiled for, '
                    "as its wheel's build_info says it; a cpu image none"
                )
        return self

    def choose(self, tag: str) -> tuple[Chosen, ...]:
        """Return the image of this tag, or every image for `all`; see `named`."""
        return tuple(self.named(one) for one in (self.image if tag == "all" else [tag]))

    def named(self, tag: str) -> Chosen:
        """Return the image of this tag; KitError lists those that there are."""
        image = self.image.get(tag)
        if image is None:
            known = ", ".join(self.image)
            raise KitError(f"IMAGE={tag}: no such image in images/matrix.toml; there are: {known}")
        return Chosen(
            tag=tag,
            image=image,
            base=self.base[image.base],
            stack=self.cuda[image.cuda] if image.cuda else None,
            family=self.family,
            companions=self.companions.get(tag.partition("-")[0], {}),
            newest=tag == self._newest(image.device),
        )

    def _newest(self, device: str) -> str:
        """Return which image has the newest TensorFlow for a device."""
        same = (tag for tag, image in self.image.items() if image.device == device)
        return max(same, key=lambda tag: Release(self.image[tag].tensorflow))


@dataclass(frozen=True)
class Chosen:
    """An image that a verb is about, with every table that describes it.

    Attributes:
        tag: what it is called in the matrix.
        image: its own table.
        base: the Debian release that it stands on.
        stack: its CUDA stack, None for a CPU image.
        family: what it has in common with all.
        companions: packages of which not every version fits its release -> those that do.
        newest: whether it has the family's newest TensorFlow for its device.
    """

    tag: str
    image: Image
    base: Base
    stack: Cuda | None
    family: Family
    companions: dict[str, str]
    newest: bool

    @property
    def requirements(self) -> tuple[str, ...]:
        """All that is asked of the package index."""
        return (*(self.stack.wheels if self.stack else ()), *self.image.requirements)

    @property
    def loads(self) -> dict[str, str]:
        """Each CUDA library that TensorFlow opens, and the wheel that it comes in."""
        return {**(self.stack.loads if self.stack else {}), **self.image.loads}

    @property
    def left_out(self) -> dict[str, str]:
        """Each wheel that TensorFlow asks for and none of its code opens, and why."""
        return {**(self.stack.left_out if self.stack else {}), **self.image.left_out}


def load(path: Path = MATRIX) -> Matrix:
    """Read and check the matrix; REGISTRY and IMAGE_NAME of the environment win over the file.

    Raises:
        KitError: one line for each thing that is wrong, with file, table and key.
    """
    try:
        data = tomllib.loads(path.read_text())
    except OSError as error:
        raise KitError(f"{path}: {error.strerror}") from error
    except tomllib.TOMLDecodeError as error:
        raise KitError(f"{path}: not TOML: {error}") from error
    overrides = {"registry": os.environ.get("REGISTRY"), "name": os.environ.get("IMAGE_NAME")}
    if isinstance(data.get("family"), dict):
        data["family"] |= {key: value for key, value in overrides.items() if value}
    try:
        return Matrix.model_validate(data)
    except ValidationError as error:
        lines = (
            f"{path.name}: {_where(one['loc'])}{one['msg'].removeprefix('Value error, ')}"
            for one in error.errors()
        )
        raise KitError("\n".join(lines)) from error


def _where(location: tuple[int | str, ...]) -> str:
    """Write a place in the file the way TOML does: [image."2.15-cpu"] tensorflow: ..."""
    parts = [str(part) for part in location if part != "[key]"]
    if not parts:
        return ""
    depth = 1 if parts[0] == "family" else 2
    table = ".".join(
        part if re.fullmatch(r"[A-Za-z0-9_-]+", part) else f'"{part}"' for part in parts[:depth]
    )
    key = ".".join(parts[depth:])
    return f"[{table}] {key}: " if key else f"[{table}]: "
