"""Applications that prove themselves with a certificate, driven by the real MSAL and by hand."""

import re
from collections.abc import Mapping
from typing import Any

import jwt
import msal
import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from tests.sandbox.harness import Redirect, Sandbox

ORIGIN = "https://cronus.crm.sandbox.test"
LOGIN = "https://login.sandbox.test"


def parts(pem: str) -> tuple[str, str]:
    """Split a PEM text into its private key and its certificate."""
    blocks = re.findall(r"-----BEGIN .*?-----END [A-Z ]+-----\n", pem, re.DOTALL)
    return blocks[0], blocks[1]


def thumbprint(pem: str) -> bytes:
    certificate = x509.load_pem_x509_certificate(parts(pem)[1].encode())
    return certificate.fingerprint(hashes.SHA1())  # noqa: S303 - the name that x5t gives it


def signed_in(sandbox: Sandbox, identity: Mapping[str, str], *, by_name: bool) -> dict[str, Any]:
    """Sign in through MSAL, which names the certificate by SHA-1 or by SHA-256."""
    key, certificate = parts(identity["pem"])
    credential = {"private_key": key, "public_certificate": certificate}
    if by_name:
        credential["thumbprint"] = thumbprint(identity["pem"]).hex()
    session = requests.Session()
    session.mount(f"{LOGIN}/", Redirect(sandbox.base_url))
    sandbox.sessions.append(session)
    application = msal.ConfidentialClientApplication(
        identity["client_id"],
        client_credential=credential,
        authority=f"{LOGIN}/{sandbox.ready['tenant']}",
        instance_discovery=False,
        http_client=session,
    )
    result: dict[str, Any] = application.acquire_token_for_client([f"{ORIGIN}/.default"])
    return result


@pytest.mark.parametrize("by_name", [True, False])
def test_msal_signs_an_application_in_with_its_certificate(
    sandbox: Sandbox, *, by_name: bool
) -> None:
    identity = sandbox.ready["certificate_application"]
    result = signed_in(sandbox, identity, by_name=by_name)
    assert "access_token" in result, result
    headers = {
        "Authorization": f"Bearer {result['access_token']}",
        "Host": "cronus.crm.sandbox.test",
    }
    answer = requests.get(f"{sandbox.api_url}WhoAmI", headers=headers, timeout=10)
    assert answer.json()["UserId"] == identity["id"]


@pytest.mark.parametrize(
    ("who", "code"), [("unregistered_certificate", 700027), ("expired_certificate", 1000502)]
)
def test_a_certificate_that_does_not_count_is_refused(
    sandbox: Sandbox, who: str, code: int
) -> None:
    result = signed_in(sandbox, sandbox.ready["flawed"][who], by_name=True)
    assert (result["error"], result["error_codes"]) == ("invalid_client", [code])


def by_hand(
    sandbox: Sandbox, *, pem: str | None = None, named: str | None = None, **claims: object
) -> tuple[int, int]:
    """Ask for a token with an assertion of our own making; return status and AADSTS number."""
    identity = sandbox.ready["certificate_application"]
    audience = f"{sandbox.base_url}/{sandbox.ready['tenant']}/oauth2/v2.0/token"
    client_id = identity["client_id"]
    payload = {"iss": client_id, "sub": client_id, "aud": audience, "exp": 4_000_000_000, **claims}
    named_by = thumbprint(named or identity["pem"])
    assertion = jwt.encode(
        payload,
        parts(pem or identity["pem"])[0],
        algorithm="RS256",
        headers={"x5t": jwt.utils.base64url_encode(named_by).decode()},
    )
    return asked(sandbox, assertion)


def asked(sandbox: Sandbox, assertion: str) -> tuple[int, int]:
    answer = sandbox.token(
        grant_type="client_credentials",
        client_id=sandbox.ready["certificate_application"]["client_id"],
        client_assertion_type="urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        client_assertion=assertion,
    )
    return answer.status_code, answer.json().get("error_codes", [0])[0]


def test_an_assertion_is_for_this_endpoint_this_application_and_this_time(
    sandbox: Sandbox,
) -> None:
    assert by_hand(sandbox) == (200, 0)
    assert by_hand(sandbox, aud="https://other.example/token") == (401, 700023)
    assert by_hand(sandbox, exp=1) == (401, 700024)
    assert by_hand(sandbox, iss="someone") == (401, 700021)


def test_a_certificate_ages_with_the_environments_clock_and_what_it_signs_does_not(
    sandbox: Sandbox,
) -> None:
    identity = sandbox.ready["certificate_application"]
    sandbox.edit({"clock": {"advance": 7200}})
    assert "access_token" in signed_in(sandbox, identity, by_name=True)
    sandbox.edit({"clock": {"advance": 800 * 86_400}})
    assert signed_in(sandbox, identity, by_name=True)["error_codes"] == [1000502]


def test_a_signature_by_another_key_is_no_proof(sandbox: Sandbox) -> None:
    other = sandbox.ready["flawed"]["unregistered_certificate"]["pem"]
    assert by_hand(sandbox, pem=other) == (401, 700027)
    assert asked(sandbox, "a.b.c") == (401, 700027)
    assert asked(sandbox, "nonsense") == (401, 700027)


def test_an_application_without_a_certificate_cannot_sign_in_with_one(sandbox: Sandbox) -> None:
    plain = sandbox.ready["application"]
    identity = {**sandbox.ready["certificate_application"], "client_id": plain["client_id"]}
    assert signed_in(sandbox, identity, by_name=True)["error_codes"] == [700027]


def test_an_expired_secret_is_refused_with_its_code(sandbox: Sandbox) -> None:
    answer = sandbox.app_token(sandbox.ready["flawed"]["expired_application"])
    assert (answer.status_code, answer.json()["error_codes"]) == (401, [7000222])


def test_an_application_of_no_tenant_is_not_known(sandbox: Sandbox) -> None:
    answer = sandbox.app_token(sandbox.ready["flawed"]["application_in_no_tenant"])
    assert (answer.status_code, answer.json()["error_codes"]) == (400, [700016])


def test_the_journal_keeps_no_assertion(sandbox: Sandbox) -> None:
    by_hand(sandbox)
    kept = sandbox.door("GET", "journal").text
    assert "client_assertion=[cut]" in kept
    assert sandbox.ready["certificate_application"]["pem"][100:160] not in kept
