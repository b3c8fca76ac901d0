"""Certificates of applications: what a PEM text holds, and why it will not do."""

import hashlib
import ssl
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st

from crmsync.dataverse.certificates import credential, read_certificate
from crmsync.dataverse.errors import CertificateUnreadable
from tests.dataverse.pems import NOW, certificate_pem, key_pem, rsa_key


def test_a_certificate_is_read_with_its_thumbprint_and_its_time() -> None:
    certificate = certificate_pem(rsa_key())

    found = read_certificate(key_pem(rsa_key()) + certificate, now=NOW)

    der = ssl.PEM_cert_to_DER_cert(certificate)
    assert found.thumbprint == hashlib.sha1(der, usedforsecurity=False).hexdigest().upper()
    assert found.subject == "CN=crmsync.cronus.example"
    assert found.not_before == NOW - timedelta(days=1)
    assert found.not_after == NOW + timedelta(days=729)


def test_the_order_of_key_and_certificates_and_text_between_do_not_matter() -> None:
    own, other = certificate_pem(rsa_key()), certificate_pem(rsa_key(1), name="issuer.example")
    pem = f"Bag Attributes\n{other}\n{own}\nKey Attributes\n{key_pem(rsa_key())}"

    assert read_certificate(pem, now=NOW).subject == "CN=crmsync.cronus.example"


@pytest.mark.parametrize(
    ("pem", "sentence"),
    [
        ("", "holds no private key"),
        ("not a certificate at all", "holds no private key"),
        (certificate_pem(rsa_key()), "holds no private key"),
        (key_pem(rsa_key()), "holds no certificate"),
        (key_pem(rsa_key(), passphrase=b"secret") + certificate_pem(rsa_key()), "passphrase"),
        (key_pem(rsa_key(1)) + certificate_pem(rsa_key()), "does not belong"),
        (
            key_pem(rsa_key(bits=1024)) + certificate_pem(rsa_key(bits=1024)),
            "too short",
        ),
        (
            "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"
            + certificate_pem(rsa_key()),
            "private key cannot be read",
        ),
        (
            key_pem(rsa_key()) + "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            "certificate cannot be read",
        ),
        ("x" * 40_000, "too long"),
    ],
)
def test_what_cannot_be_signed_in_with_is_named(pem: str, sentence: str) -> None:
    with pytest.raises(CertificateUnreadable, match=sentence) as caught:
        read_certificate(pem, now=NOW)

    assert caught.value.remedy


def test_only_rsa_keys_are_taken() -> None:
    key = ec.generate_private_key(ec.SECP256R1())

    with pytest.raises(CertificateUnreadable, match="not an RSA key"):
        read_certificate(key_pem(key) + certificate_pem(key), now=NOW)


@pytest.mark.parametrize(
    ("moment", "sentence"),
    [
        (NOW - timedelta(days=1, seconds=1), "not valid yet"),
        (NOW + timedelta(days=729), "has expired"),
    ],
)
def test_a_certificate_is_good_only_in_its_time(moment: datetime, sentence: str) -> None:
    pem = key_pem(rsa_key()) + certificate_pem(rsa_key())

    with pytest.raises(CertificateUnreadable, match=sentence):
        read_certificate(pem, now=moment)


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Europe/Copenhagen", "Pacific/Niue"])
def test_a_certificate_without_an_end_has_one_that_every_time_zone_can_show(zone: str) -> None:
    forever = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
    begins = datetime(2026, 1, 1, 23, 59, 59, tzinfo=UTC)
    days = (forever - begins).days
    pem = key_pem(rsa_key()) + certificate_pem(rsa_key(), begins=begins, days=days)

    found = read_certificate(pem, now=NOW)

    assert found.not_after.astimezone(ZoneInfo(zone)).year == 9999


def test_an_expired_certificate_can_still_be_offered_to_the_token_service() -> None:
    pem = key_pem(rsa_key()) + certificate_pem(rsa_key(), begins=NOW - timedelta(days=900), days=1)

    assert set(credential(pem)) == {"private_key", "thumbprint"}


# Opening an RSA key proves it, which takes a while on a busy machine.
@settings(deadline=None, max_examples=60)
@given(st.text(max_size=300), st.integers(0, 3000))
def test_no_text_breaks_the_reader(noise: str, at: int) -> None:
    pem = key_pem(rsa_key()) + certificate_pem(rsa_key())
    broken = pem[:at] + noise + pem[at:]

    with suppress(CertificateUnreadable):
        assert read_certificate(broken, now=NOW).subject == "CN=crmsync.cronus.example"
