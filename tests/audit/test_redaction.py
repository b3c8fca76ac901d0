"""Which names speak of secrets, and what becomes of the values under them."""

import pytest

from crmsync.audit.redaction import cleaned, speaks_of_a_secret


@pytest.mark.parametrize(
    "name",
    [
        *("password", "new_password1", "Passphrase", "client_secret", "clientSecret", "secret"),
        *("refresh_token", "accessToken", "web_service_key", "api-key", "accessKey", "PEM"),
        *("private_key", "privatekey", "Authorization", "set-cookie", "client_assertion"),
    ],
)
def test_names_of_secrets_are_known(name: str) -> None:
    assert speaks_of_a_secret(name)


@pytest.mark.parametrize("name", ["name", "group", "monkey", "email", "scopes", "experience", ""])
def test_other_names_are_not(name: str) -> None:
    assert not speaks_of_a_secret(name)


def test_a_first_secret_is_set_another_is_changed_and_none_is_blank() -> None:
    assert cleaned(None, {"secret": "a"}) == ({}, {"secret": "set"})
    assert cleaned({"secret": "a"}, {"secret": "b"}) == ({"secret": "set"}, {"secret": "changed"})
    assert cleaned({"secret": "a"}, {"secret": ""}) == ({"secret": "set"}, {"secret": ""})


def test_whether_there_is_one_may_be_told() -> None:
    assert cleaned({}, {"new_key": True}) == ({}, {"new_key": True})
