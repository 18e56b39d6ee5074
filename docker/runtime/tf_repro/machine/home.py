"""A home and a name for a user whom /etc/passwd does not know, as with `docker run --user 12345`.

Docker and Kubernetes give such a user HOME=/, which only root can write to: every cache under ~
fails, and getpass.getuser() raises KeyError. Whoever has a home keeps it.
https://docs.docker.com/reference/cli/docker/container/run/#user
"""

import os
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import MutableMapping

# What Docker sets where it finds none.
NOBODYS = "/"
# Those of tempfile, and in its order; in our images /usr/tmp is there with a read-only root, too.
FOLDERS = ("/tmp", "/var/tmp", "/usr/tmp")  # noqa: S108  # a folder in them is made ours, below
# Where getpass looks, in its order, before it asks for the entry.
NAMES = ("LOGNAME", "USER", "LNAME", "USERNAME")


def give(environ: "MutableMapping[str, str]") -> None:
    """Put what is missing of LOGNAME, USER and HOME into `environ`.

    The name is the number, as with podman: what a program calls by its user's name stays apart
    from that of another user. The folder is made, so that no other user can make it first; where
    none can be made, HOME stays as it is.
    """
    import pwd  # noqa: PLC0415  # for those who have no home

    uid = os.getuid()
    try:
        home = pwd.getpwuid(uid).pw_dir
    except KeyError:
        home = NOBODYS
        if not any(environ.get(name) for name in NAMES):
            environ["LOGNAME"] = environ["USER"] = str(uid)
    if environ.get("HOME", home) == NOBODYS and not os.access(NOBODYS, os.W_OK):
        folder = _make(uid, (environ.get("TMPDIR"), *FOLDERS))
        if folder is not None:
            environ["HOME"] = folder


def _make(uid: int, places: "tuple[str | None, ...]") -> "str | None":
    for place in filter(None, places):
        folder = f"{place}/home-{uid}"
        try:
            try:
                os.mkdir(folder, 0o700)  # noqa: PTH102  # pathlib costs 4 ms
            except FileExistsError:
                status = os.lstat(folder)
                if status.st_uid != uid or not stat.S_ISDIR(status.st_mode):
                    continue
        except OSError:
            continue
        return folder
    return None
