"""Certificates that an application signs in with: what a PEM text holds, and whether it will do.

Entra shows a certificate by the SHA-1 of its DER form, and wants RSA keys of 2048 bits or more
(Microsoft docs: certificate credentials for application authentication).
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from crmsync.dataverse.errors import CertificateUnreadable

FEWEST_BITS = 2048
MOST_CHARACTERS = 32_768
# Certificates without an end say 9999-12-31 (RFC 5280, 4.1.2.5), which east of UTC is no day.
LATEST_END = datetime(9999, 12, 30, tzinfo=UTC)

_BLOCK = r"-----BEGIN (%s)-----.*?-----END \1-----"
_KEY = re.compile(_BLOCK % "[A-Z ]*PRIVATE KEY", re.DOTALL)
_CERTIFICATE = re.compile(_BLOCK % "CERTIFICATE", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate as Entra lists it: the thumbprint in capital hex digits, times in UTC.

    ``not_after`` is at the latest ``LATEST_END``, which every time zone can show.
    """

    subject: str
    thumbprint: str
    not_before: datetime
    not_after: datetime


def read_certificate(pem: str, *, now: datetime) -> Certificate:
    """The certificate that belongs to the private key in a PEM text; others are its chain.

    Raises CertificateUnreadable where it could not be signed in with at ``now`` (aware).
    """
    _, found = _opened(pem)
    if now >= found.not_valid_after_utc:
        raise CertificateUnreadable("The certificate has expired.")
    if now < found.not_valid_before_utc:
        raise CertificateUnreadable("The certificate is not valid yet.")
    return Certificate(
        subject=found.subject.rfc4514_string(),
        thumbprint=_thumbprint(found),
        not_before=found.not_valid_before_utc,
        not_after=min(found.not_valid_after_utc, LATEST_END),
    )


def credential(pem: str) -> dict[str, str]:
    """What MSAL wants of a certificate. Raises CertificateUnreadable; whether it has expired is
    left to the token service."""
    key, found = _opened(pem)
    plain = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return {"private_key": plain.decode("ascii"), "thumbprint": _thumbprint(found)}


def _opened(pem: str) -> tuple[RSAPrivateKey, x509.Certificate]:
    if len(pem) > MOST_CHARACTERS:
        raise CertificateUnreadable("The certificate's text is too long.")
    key = _private_key(pem)
    certificates = _certificates(pem)
    public = _spki(key)
    for found in certificates:
        if _spki_of(found) == public:
            return key, found
    raise CertificateUnreadable("The private key does not belong to the certificate.")


def _private_key(pem: str) -> RSAPrivateKey:
    found = _KEY.search(pem)
    if found is None:
        raise CertificateUnreadable("The text holds no private key.")
    if "ENCRYPTED" in found.group(0):
        raise CertificateUnreadable("The private key is protected with a passphrase.")
    try:
        key = serialization.load_pem_private_key(found.group(0).encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise CertificateUnreadable("The private key cannot be read.") from error
    if not isinstance(key, RSAPrivateKey):
        raise CertificateUnreadable("The private key is not an RSA key.")
    if key.key_size < FEWEST_BITS:
        raise CertificateUnreadable("The private key is too short: 2048 bits are needed.")
    return key


def _certificates(pem: str) -> list[x509.Certificate]:
    blocks = [found.group(0) for found in _CERTIFICATE.finditer(pem)]
    if not blocks:
        raise CertificateUnreadable("The text holds no certificate.")
    try:
        return [x509.load_pem_x509_certificate(block.encode()) for block in blocks]
    except ValueError as error:
        raise CertificateUnreadable("The certificate cannot be read.") from error


def _spki(key: RSAPrivateKey) -> bytes:
    return key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def _spki_of(found: x509.Certificate) -> bytes:
    """The public key of a certificate; empty for a kind of key that we do not know."""
    try:
        return found.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    except (ValueError, UnsupportedAlgorithm):
        return b""


def _thumbprint(found: x509.Certificate) -> str:
    # A name, not a proof: the token service looks the certificate up by it.
    return found.fingerprint(hashes.SHA1()).hex().upper()  # noqa: S303
