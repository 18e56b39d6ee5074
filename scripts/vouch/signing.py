"""Signing a statement with a key pair, and verifying it: ECDSA on P-256 in a DSSE envelope.

The envelope and what is signed in it: https://github.com/secure-systems-lab/dsse/blob/master/protocol.md.
cosign and openssl take the same keys, and cosign the same envelope.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import os
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from scripts.errors import KitError

PAYLOAD_TYPE = "application/vnd.in-toto+json"
# What we sign: provenance. Another statement about the same image may be a warning of it.
STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "https://slsa.dev/provenance/v1"
PASSWORD = "KEY_PASSWORD"  # noqa: S105 - the name of a variable
ALGORITHM = ec.ECDSA(hashes.SHA256())


class NotVouchedError(KitError):
    """A signature is not there, or is not what it should be: the image is not to be used."""

    exit_code = 1


def make_key(path: Path) -> Path:
    """Make a key pair: the private key, for its owner's eyes only, and beside it `….pub`.

    The private key is encrypted where the environment has a KEY_PASSWORD.

    Returns:
        The public key's path.

    Raises:
        KitError: one of the files is there already, or cannot be written.
    """
    public = path.with_name(f"{path.name}.pub")
    if public.exists():
        raise KitError(f"{public} is there already, and a key is never written over; name another")
    password = os.environ.get(PASSWORD)
    encryption = (
        serialization.BestAvailableEncryption(password.encode())
        if password
        else serialization.NoEncryption()
    )
    key = ec.generate_private_key(ec.SECP256R1())
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Made with its mode: at no time is it a file that others can read.
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(
                key.private_bytes(
                    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption
                )
            )
        public.write_bytes(
            key.public_key().public_bytes(
                serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
            )
        )
    except FileExistsError as error:
        raise KitError(
            f"{path} is there already, and a key is never written over; name another"
        ) from error
    except OSError as error:
        raise KitError(f"{path}: {error.strerror}; name a place that you can write to") from error
    return public


def sign(payload: bytes, key_file: Path) -> bytes:
    """Return the DSSE envelope of a statement.

    Args:
        payload: the statement.
        key_file: the private key.

    Raises:
        KitError: the key cannot be read, or others can read it.
    """
    key = _private_key(key_file)
    signature = key.sign(pae(PAYLOAD_TYPE, payload), ALGORITHM)
    envelope = {
        "payload": base64.b64encode(payload).decode(),
        "payloadType": PAYLOAD_TYPE,
        "signatures": [
            {"keyid": key_id(key.public_key()), "sig": base64.b64encode(signature).decode()}
        ],
    }
    return (json.dumps(envelope, indent=1) + "\n").encode()


def verify(envelope: bytes, key_file: Path, config_digest: str, where: str) -> dict[str, Any]:
    """Return the statement in an envelope, if it is the key's owner's, about just this image.

    Args:
        envelope: the DSSE envelope.
        key_file: the public key of who is trusted.
        config_digest: the image's identity, `sha256:…`.
        where: what to call the envelope in an error: a path, or an address.

    Raises:
        NotVouchedError: signed with another key, altered, about another image, or no envelope.
        KitError: the public key cannot be read.
    """
    key = _public_key(key_file)
    try:
        content = json.loads(envelope)
        payload_type = str(content["payloadType"])
        payload = base64.b64decode(content["payload"], validate=True)
        signatures = [
            (str(one.get("keyid", "")), base64.b64decode(one["sig"], validate=True))
            for one in content["signatures"]
        ]
    except (ValueError, LookupError, TypeError, AttributeError, binascii.Error) as error:
        raise NotVouchedError(f"{where}: not a DSSE envelope; sign the image again") from error
    if not signatures:
        raise NotVouchedError(f"{where}: holds no signature; the image is not signed")
    if not any(_verifies(key, pae(payload_type, payload), sig) for _, sig in signatures):
        if all(name != key_id(key) for name, _ in signatures):
            raise NotVouchedError(
                f"{where}: signed with the key {signatures[0][0] or '(unnamed)'} and not with "
                f"{key_file} ({key_id(key)}); do not use the image, or trust that key"
            )
        raise NotVouchedError(
            f"{where}: what is signed was altered after it was signed; do not use the image"
        )
    return _about(payload_type, payload, config_digest, where)


def _about(payload_type: str, payload: bytes, config_digest: str, where: str) -> dict[str, Any]:
    """Return a statement whose signature is right, if it is about just this image."""
    try:
        statement: dict[str, Any] = json.loads(payload)
        subjects = {f"sha256:{one['digest']['sha256']}" for one in statement["subject"]}
        types = (payload_type, statement["_type"], statement["predicateType"])
    except (ValueError, LookupError, TypeError) as error:
        raise NotVouchedError(f"{where}: what is signed is no in-toto statement") from error
    if types != (PAYLOAD_TYPE, STATEMENT, PREDICATE):
        raise NotVouchedError(f"{where}: what is signed is no provenance but {types[-1]}")
    if config_digest not in subjects:
        raise NotVouchedError(
            f"{where}: is about {', '.join(sorted(subjects))}, and the image is {config_digest}; "
            "do not use the image, or sign this one"
        )
    return statement


def pae(payload_type: str, payload: bytes) -> bytes:
    """Return the pre-authentication encoding, which is what a DSSE signature signs.

    >>> pae("http://example.com/HelloWorld", b"hello world")
    b'DSSEv1 29 http://example.com/HelloWorld 11 hello world'
    """
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def key_id(key: ec.EllipticCurvePublicKey) -> str:
    """Return the name of a public key: the SHA-256 of its DER, in hex."""
    encoded = key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return hashlib.sha256(encoded).hexdigest()


def _verifies(key: ec.EllipticCurvePublicKey, signed: bytes, signature: bytes) -> bool:
    try:
        key.verify(signature, signed, ALGORITHM)
    except InvalidSignature:
        return False
    return True


def _private_key(path: Path) -> ec.EllipticCurvePrivateKey:
    password = os.environ.get(PASSWORD)
    try:
        if path.stat().st_mode & 0o077:
            raise KitError(f"{path}: others can read this private key; `chmod 600 {path}`")
        key = serialization.load_pem_private_key(
            path.read_bytes(), password.encode() if password else None
        )
    except OSError as error:
        raise KitError(f"{path}: {error.strerror}; `make sign-key KEY={path}` makes one") from error
    except (ValueError, TypeError) as error:
        raise KitError(
            f"{path}: not a private key in PEM, or {PASSWORD} is not its password"
        ) from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise KitError(f"{path}: not an ECDSA key; `make sign-key` makes one")
    return key


def _public_key(path: Path) -> ec.EllipticCurvePublicKey:
    try:
        key = serialization.load_pem_public_key(path.read_bytes())
    except OSError as error:
        raise KitError(
            f"{path}: {error.strerror}; KEY= names the public key of who signed the image"
        ) from error
    except ValueError as error:
        raise KitError(f"{path}: not a public key in PEM; `make sign-key` makes pairs") from error
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise KitError(f"{path}: not an ECDSA key; `make sign-key` makes one")
    return key
