"""Applications that sign in with a certificate."""

from uuid import UUID

import pytest

from crmsync.dataverse import administration
from crmsync.dataverse.auth import CertificateTokens
from crmsync.dataverse.certificates import read_certificate
from crmsync.dataverse.client import Client
from crmsync.dataverse.errors import CertificateUnreadable, SignInFailed
from crmsync.dataverse.governor import now_utc
from crmsync.dataverse.session import open_session
from tests.dataverse.pems import certificate_pem, rsa_key
from tests.dataverse.wires import ORIGIN, authority, open_channel
from tests.sandboxes import Sandbox


def tokens_of(sandbox: Sandbox, application: dict[str, str]) -> CertificateTokens:
    return CertificateTokens(
        ORIGIN,
        authority(sandbox),
        application["client_id"],
        application["pem"],
        open_session(sandbox_port=sandbox.port),
    )


def test_an_application_signs_in_with_its_certificate(sandbox: Sandbox) -> None:
    application = sandbox.ready["certificate_application"]
    client = Client(open_channel(sandbox.port, tokens_of(sandbox, application)))

    assert administration.who_am_i(client).user_id == UUID(application["id"])
    assert read_certificate(application["pem"], now=now_utc()).thumbprint


def test_a_token_is_fetched_once_and_used_again(sandbox: Sandbox) -> None:
    tokens = tokens_of(sandbox, sandbox.ready["certificate_application"])
    mark = sandbox.mark()

    assert tokens.token() == tokens.token()

    assert len([e for e in sandbox.journal(mark) if e["url"].endswith("/token")]) == 1


@pytest.mark.parametrize(
    ("name", "service_code"),
    [("expired_certificate", "AADSTS1000502"), ("unregistered_certificate", "AADSTS700027")],
)
def test_a_certificate_that_the_service_refuses_is_named(
    sandbox: Sandbox, name: str, service_code: str
) -> None:
    with pytest.raises(SignInFailed, match="certificate") as caught:
        tokens_of(sandbox, sandbox.ready["flawed"][name]).token()

    assert caught.value.trace.service_code == service_code


def test_a_certificate_without_its_key_asks_nobody(sandbox: Sandbox) -> None:
    application = sandbox.ready["certificate_application"]
    mark = sandbox.mark()

    with pytest.raises(CertificateUnreadable):
        tokens_of(sandbox, {**application, "pem": certificate_pem(rsa_key())}).token()

    assert sandbox.journal(mark) == []


def test_no_key_shows_where_tokens_are_printed(sandbox: Sandbox) -> None:
    tokens = tokens_of(sandbox, sandbox.ready["certificate_application"])
    token = tokens.token()

    assert "PRIVATE KEY" not in f"{tokens!r}"
    assert token not in f"{tokens!r}"
