"""No secret that is typed on the pages of the connection shows anywhere."""

import logging
from typing import Any

import pytest

from crmsync.connections.models import Connection
from tests.kept import Kept
from tests.sandboxes import Sandbox
from tests.setup_wizard.standing import PAGE, Standing, stand
from tests.setup_wizard.test_secrets_stay_secret import _found, _shown

WRONG = 'canary 4d1b&"ø+/='
CREDENTIALS = f"{PAGE}credentials/"


@pytest.fixture
def standing(sandbox: Sandbox, db: None, kept_states: dict[str, Kept]) -> Standing:
    return stand(sandbox, kept_states)


@pytest.fixture
def logs(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.DEBUG)
    return caplog


def pem_of(standing: Standing) -> str:
    return str(standing.sandbox.ready["certificate_application"]["pem"])


def forms(standing: Standing) -> list[dict[str, str]]:
    return [
        {"kind": "application", "application_secret": standing.secret},
        {"kind": "application", "application_secret": WRONG},
        {"kind": "certificate", "certificate": pem_of(standing)},
        {"kind": "certificate", "certificate": WRONG, "application_secret": standing.secret},
        {"kind": "nonsense", "application_secret": WRONG},
    ]


def lines_of(pem: str) -> set[str]:
    """Of the private key: each tells enough of it."""
    key = pem[pem.index("-----BEGIN PRIVATE KEY") :] if "BEGIN PRIVATE KEY" in pem else pem
    return {line for line in key.splitlines() if len(line) == 64 and "-----" not in line}


def known(standing: Standing) -> set[str]:
    key_lines = sorted(lines_of(pem_of(standing)))
    return {WRONG, standing.secret, *key_lines[:3]}


def test_new_credentials_show_nowhere_whether_they_are_taken_or_refused(
    standing: Standing, logs: pytest.LogCaptureFixture
) -> None:
    answers = [_shown(standing.client.post(CREDENTIALS, form)) for form in forms(standing)]
    answers += [_shown(standing.client.get(page)) for page in (PAGE, CREDENTIALS, "/audit/", "/")]

    assert len(known(standing)) == 5
    assert "urllib3" in logs.text
    assert _found(known(standing), logs.text, answers) == []


@pytest.mark.parametrize("path", ["/token", "WhoAmI", "RetrieveUserPrivileges"])
def test_nor_where_sales_fails_meanwhile(
    standing: Standing, logs: pytest.LogCaptureFixture, path: str
) -> None:
    before = Connection.objects.get().sealed_secret
    standing.sandbox.fault({"path": path}, {"status": 503})

    answers = [_shown(standing.client.post(CREDENTIALS, form)) for form in forms(standing)]

    assert _found(known(standing), logs.text, answers) == []
    assert Connection.objects.get().sealed_secret == before


@pytest.mark.parametrize("debug", [False, True])
def test_nor_on_an_error_page(
    standing: Standing,
    logs: pytest.LogCaptureFixture,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    debug: bool,
) -> None:
    settings.DEBUG = debug
    standing.client.raise_request_exception = False

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("a fault of the program")

    monkeypatch.setattr("crmsync.dataverse.administration.who_am_i", broken)
    answer = _shown(standing.client.post(CREDENTIALS, forms(standing)[0]))

    assert "500" in answer or "went wrong" in answer
    assert "a fault of the program" in logs.text
    assert _found(known(standing), logs.text, [answer]) == []


def test_a_secret_of_the_connection_is_on_no_page_of_it(standing: Standing) -> None:
    pages = [PAGE, CREDENTIALS, f"{PAGE}disable/", f"{PAGE}reset/", f"{PAGE}status/"]
    sealed = Connection.objects.get().sealed_secret
    answers = [_shown(standing.client.get(page)) for page in pages]
    answers.append(_shown(standing.post("test")))

    assert _found({standing.secret}, "", answers) == []
    assert not any(sealed in answer for answer in answers)
