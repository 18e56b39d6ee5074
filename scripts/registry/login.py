"""How we show a registry who we are: the docker client's own credentials, Basic or as a token.

https://distribution.github.io/distribution/spec/auth/token/
"""

from __future__ import annotations

import base64
import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

from scripts.errors import KitError

# To connect, and to wait: a registry checks a large blob before it says that it has it.
SECONDS = (30, 600)


@dataclass(frozen=True)
class Credentials:
    """What `docker login` left; `identity_token` stands for a password where there is one."""

    user: str
    password: str
    identity_token: str = ""


def api_host(registry: str) -> str:
    """Return the host of a registry's API; Docker's own goes by a name that is no host."""
    from docker.auth import INDEX_NAME, INDEX_URL  # noqa: PLC0415 - see `credentials`

    return urlsplit(INDEX_URL).hostname or registry if registry == INDEX_NAME else registry


def credentials(registry: str) -> Credentials | None:
    """Return the docker client's credentials for a registry, helpers included; None if it has none.

    Raises:
        KitError: a credential helper of the client's config fails.
    """
    from docker.auth import load_config  # noqa: PLC0415 - half a second that few verbs need
    from docker.errors import DockerException  # noqa: PLC0415 - as above

    try:
        found = load_config().resolve_authconfig(registry)
    except DockerException as error:
        raise KitError(f"{registry}: {error}; `docker login {registry}` again") from error
    if not found:
        return None
    return Credentials(
        str(found.get("Username") or found.get("username") or ""),
        str(found.get("Password") or found.get("password") or ""),
        str(found.get("IdentityToken") or ""),
    )


def authorization(session: requests.Session, registry: str, challenge: str) -> str:
    """Return the value of the header Authorization that answers a registry's challenge.

    Args:
        session: where a token is asked for.
        registry: which registry, as in the image's name.
        challenge: its header WWW-Authenticate.

    Raises:
        KitError: it wants credentials and there are none, or it does not take them.
    """
    scheme, _, rest = challenge.partition(" ")
    asked = dict[str, str](re.findall(r'(\w+)="([^"]*)"', rest))
    known = credentials(registry)
    if scheme.lower() == "basic" and known:
        pair = base64.b64encode(f"{known.user}:{known.password}".encode()).decode()
        return f"Basic {pair}"
    if scheme.lower() == "bearer" and "realm" in asked:
        return f"Bearer {_token(session, registry, asked, known)}"
    raise KitError(f"{registry}: it wants to know who we are; `docker login {registry}` first")


def _token(
    session: requests.Session, registry: str, asked: dict[str, str], known: Credentials | None
) -> str:
    """Ask the registry's authorisation service for a token, anonymously if we have no name."""
    question = dict[str, str]({key: asked[key] for key in ("service", "scope") if key in asked})
    realm = asked["realm"]
    if known and not realm.lower().startswith("https://") and not is_loopback(host_of(realm)):
        raise KitError(f"{registry}: no password goes to {realm} in clear")
    if known and known.identity_token:
        form: dict[str, str] = {
            **question,
            "grant_type": "refresh_token",
            "refresh_token": known.identity_token,
            "client_id": "tf-repro",
        }
        answer = session.post(realm, data=form, timeout=SECONDS)
    else:
        login = (known.user, known.password) if known else None
        answer = session.get(realm, params=question, auth=login, timeout=SECONDS)
    if not answer.ok:
        raise KitError(
            f"{registry}: {host_of(realm)} gives no token ({answer.status_code}); "
            f"`docker login {registry}` first, as somebody who may push"
        )
    given = answer.json()
    return str(given.get("token") or given["access_token"])


def host_of(address: str) -> str:
    r"""Return the host that a request to an address would go to, empty where there is none.

    Read by the library that sends it: in `http://one\@other/` another parser finds another host,
    and what is said of that one is not true of the one that gets the password.
    """
    try:
        return parse_url(address).host or ""
    except LocationParseError:
        return ""


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine, where the docker client speaks plain http, too.

    Only `localhost` and an address that is written in full: any other name, and any short form, is
    what a resolver makes of it.
    """
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.removeprefix("[").removesuffix("]")).is_loopback
    except ValueError:
        return False
