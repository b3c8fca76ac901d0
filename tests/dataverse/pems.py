"""Keys and certificates made up for a test."""

from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@cache
def rsa_key(number: int = 0, *, bits: int = 2048) -> rsa.RSAPrivateKey:
    """The same key for the same number: making one takes a while."""
    del number
    return rsa.generate_private_key(public_exponent=65_537, key_size=bits)


def key_pem(key: PrivateKey, *, passphrase: bytes = b"") -> str:
    sealed: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if passphrase:
        sealed = serialization.BestAvailableEncryption(passphrase)
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, sealed).decode()


def certificate_pem(
    key: PrivateKey,
    *,
    name: str = "crmsync.cronus.example",
    begins: datetime = NOW - timedelta(days=1),
    days: int = 730,
) -> str:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(begins + timedelta(days=days))
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM).decode()
