"""Certificates of applications: made when a data file is made, checked when a client signs in."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import orjson
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from crmsync.sandbox.tokens import decoded

_KEY_BITS: Final = 2048
ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class BadAssertionError(Exception):
    """A client assertion cannot be read, or its signature is not the certificate's."""


@dataclass(frozen=True, slots=True)
class Assertion:
    """A client assertion, unproven until `check_signature` has returned."""

    signed: bytes
    signature: bytes
    header: Mapping[str, object]
    claims: Mapping[str, object]


def new_pem(name: str, *, begins: datetime, lifetime: timedelta) -> str:
    """Return a new RSA private key and its self-signed certificate, both in PEM."""
    key = rsa.generate_private_key(public_exponent=65_537, key_size=_KEY_BITS)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(begins + lifetime)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return (private + certificate.public_bytes(serialization.Encoding.PEM)).decode()


def read_assertion(text: str) -> Assertion:
    """Take a JWT apart. Raises BadAssertionError."""
    signed, _, signature = text.rpartition(".")
    header, _, claims = signed.partition(".")
    try:
        parts = orjson.loads(decoded(header)), orjson.loads(decoded(claims))
        raw = decoded(signature)
    except (ValueError, binascii.Error):
        raise BadAssertionError("The client assertion is not a signed JWT.") from None
    if not isinstance(parts[0], dict) or not isinstance(parts[1], dict):
        raise BadAssertionError("The client assertion is not a signed JWT.")
    return Assertion(signed.encode(), raw, *parts)


def names_certificate(assertion: Assertion, pem: str) -> bool:
    """Say whether the header's thumbprint (x5t SHA-1, or x5t#S256) is the certificate's."""
    certificate = _certificate(pem)
    thumbprints = {
        "x5t": certificate.fingerprint(hashes.SHA1()),  # noqa: S303 - a name, not a proof
        "x5t#S256": certificate.fingerprint(hashes.SHA256()),
    }
    given = {name: assertion.header.get(name) for name in thumbprints}
    return any(
        isinstance(text, str) and _thumbprint(text) == thumbprints[name]
        for name, text in given.items()
    )


def is_in_force(pem: str, moment: float) -> bool:
    """Say whether a certificate is valid at `moment` (epoch seconds)."""
    certificate, at = _certificate(pem), datetime.fromtimestamp(moment, UTC)
    return certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc


def check_signature(assertion: Assertion, pem: str) -> None:
    """Check RS256 or PS256 against the certificate. Raises BadAssertionError."""
    paddings = {
        "RS256": padding.PKCS1v15(),
        "PS256": padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.DIGEST_LENGTH),
    }
    chosen = paddings.get(str(assertion.header.get("alg")))
    key = _certificate(pem).public_key()
    if chosen is None or not isinstance(key, rsa.RSAPublicKey):
        raise BadAssertionError("The client assertion is signed with another algorithm.")
    try:
        key.verify(assertion.signature, assertion.signed, chosen, hashes.SHA256())
    except InvalidSignature:
        raise BadAssertionError("The signature is not the certificate's.") from None


def _certificate(pem: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(pem[pem.index("-----BEGIN CERT") :].encode())


def _thumbprint(text: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (ValueError, binascii.Error):
        return b""
