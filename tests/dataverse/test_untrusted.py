"""A certificate that nobody trusts is refused, and is no passing failure."""

import datetime
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from crmsync.dataverse.address import Hosts
from crmsync.dataverse.auth import ApplicationTokens, Authority, BearerToken, discover_authority
from crmsync.dataverse.errors import NotTrusted
from crmsync.dataverse.governor import Gate
from crmsync.dataverse.session import Channel, open_session


@pytest.fixture
def impostor(tmp_path: Path) -> Iterator[str]:
    """An https server with a certificate of its own making."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pem = tmp_path / "impostor.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    pem.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    server = HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"https://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()


def test_nothing_is_sent_to_who_is_not_trusted(impostor: str) -> None:
    session = open_session(sandbox_port=0)
    channel = Channel(origin=impostor, tokens=BearerToken("t", 60), gate=Gate(), session=session)

    with pytest.raises(NotTrusted):
        channel.send("GET", "WhoAmI")
    with pytest.raises(NotTrusted):
        discover_authority(impostor, session=session, hosts=Hosts(sandbox=False))


def test_no_secret_goes_to_a_sign_in_service_that_is_not_trusted(impostor: str) -> None:
    authority = Authority(f"{impostor}/11111111-1111-1111-1111-111111111111", "t")
    session = open_session(sandbox_port=0)

    with pytest.raises(NotTrusted):
        ApplicationTokens(impostor, authority, "a", "secret", session).token()
