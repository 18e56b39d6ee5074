"""A program in place of an engine's runc: each container that it makes is given something more."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

# In a source of a mount: the container's own root file system, as it is before anything is mounted.
ROOTFS = "ROOTFS"

# dockerd's runtime is handed `create --bundle <folder>`, with the container's config.json in it:
# https://github.com/opencontainers/runtime-spec/blob/main/config.md
PROGRAM = """#!/usr/bin/env python3
import json, os, pathlib, sys
if "create" in sys.argv:
    bundle = pathlib.Path(sys.argv[sys.argv.index("--bundle") + 1])
    path = bundle / "config.json"
    config = json.loads(path.read_text())
    rootfs = str(bundle / config["root"]["path"])
    for name, value in {env!r}.items():
        kept = [one for one in config["process"]["env"] if not one.startswith(name + "=")]
        config["process"]["env"] = [*kept, name + "=" + value]
    for there, here in {mounts!r}.items():
        source = here.replace({ROOTFS!r}, rootfs)
        options = ["bind", "ro"]
        mount = dict(destination=there, source=source, type="bind", options=options)
        config["mounts"].append(mount)
    path.write_text(json.dumps(config))
os.execv({runc!r}, [{runc!r}, *sys.argv[1:]])
"""


def put_in_place(program: Path, env: Mapping[str, str], mounts: Mapping[str, str]) -> None:
    """Put it in the place of the runc of an engine's files.

    Args:
        program: a link to that runc, or where one would be found before this machine's.
        env: variables that every container gets.
        mounts: what is mounted in every container, for reading: where, and this machine's file.
    """
    assert program.is_symlink() or not program.exists(), f"{program} is an engine's own"
    runc = str(program.resolve()) if program.exists() else shutil.which("runc")
    assert runc, "neither the engine's packages nor this machine have one"
    program.unlink(missing_ok=True)
    words = {"env": dict(env), "mounts": dict(mounts), "runc": runc, "ROOTFS": ROOTFS}
    program.write_text(PROGRAM.format(**words))
    program.chmod(0o755)
