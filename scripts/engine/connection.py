"""A connection to an engine, wherever it is, and what is said where none answers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from typing import TYPE_CHECKING

from scripts import processes
from scripts.engine import ssh
from scripts.errors import KitError

if TYPE_CHECKING:
    from docker import DockerClient

# An image of several gigabytes is exported or loaded in one request.
REQUEST_SECONDS = 600
# Within which one says that it is there.
ANSWER_SECONDS = 10


class NoAnswerError(KitError):
    """No Docker engine answers at an address."""


def answers(host: str) -> bool:
    """Tell whether a Docker engine answers at `host`.

    Raises:
        KitError: something listens there, and we may not talk to it.
    """
    try:
        see_that_it_answers(host, host)
    except NoAnswerError:
        return False
    return True


def see_that_it_answers(host: str, name: str) -> None:
    """Ask an engine whether it is there; takes and raises what `opened` does."""
    with opened(host, name):
        pass


@contextmanager
def opened(host: str, name: str) -> Iterator[DockerClient]:
    """Give a connection to an engine, which has been asked whether it is there.

    Args:
        host: its address.
        name: what to call it where it does not answer.

    Raises:
        NoAnswerError: it does not, in seconds.
        KitError: something listens there, and we may not talk to it.
    """
    import docker  # noqa: PLC0415 - half a second that `make help` and the unit tests need not pay

    with ExitStack() as stack:
        try:
            by_ssh = host.startswith(ssh.SCHEME)
            reached = stack.enter_context(ssh.socket_to(host)) if by_ssh else host
            # It asks for the engine's version at once; what comes next may take longer.
            client = docker.DockerClient(base_url=reached, timeout=ANSWER_SECONDS)
        except ssh.NotReachedError as error:
            raise NoAnswerError(f"{name}: no Docker engine answers there ({error})") from error
        except (docker.errors.DockerException, OSError) as error:
            if "Permission denied" in str(error):
                raise KitError(
                    f"{name}: permission denied; run as root, or have this user added to the group "
                    "that owns the socket (`usermod -aG docker USER`, then log in again)"
                ) from error
            reason = processes.last_words(str(error))
            raise NoAnswerError(f"{name}: no Docker engine answers there ({reason})") from error
        stack.enter_context(closing(client))
        client.api.timeout = REQUEST_SECONDS
        yield client
