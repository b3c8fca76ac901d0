"""Pages about a certificate that is said to have no end."""

from datetime import UTC, datetime

import pytest
from pytest_django import Settings

from crmsync.connections.models import Connection
from crmsync.dataverse.certificates import read_certificate
from crmsync.frame.people import Role
from tests.dataverse.pems import NOW, certificate_pem, key_pem, rsa_key
from tests.people import client_of
from tests.sandboxes import Sandbox

FOREVER = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
PAGES = ("/setup/connection/", "/setup/connection/credentials/", "/")


@pytest.mark.parametrize("zone", ["Europe/Copenhagen", "Pacific/Kiritimati", "UTC", "Pacific/Niue"])
def test_a_certificate_without_an_end_breaks_no_page_in_any_time_zone(
    connected: Sandbox, settings: Settings, zone: str
) -> None:
    begins = datetime(2026, 1, 1, 23, 59, 59, tzinfo=UTC)
    certificate = certificate_pem(rsa_key(), begins=begins, days=(FOREVER - begins).days)
    found = read_certificate(key_pem(rsa_key()) + certificate, now=NOW)
    Connection.objects.update(
        identity_kind=Connection.IdentityKind.CERTIFICATE, credential_expires_at=found.not_after
    )
    settings.TIME_ZONE = zone

    client = client_of(Role.ADMINISTRATORS)
    for path in PAGES:
        assert client.get(path).status_code == 200
    assert "9999" in client.get(PAGES[0]).content.decode()
