"""Secrets at rest: bound to their place, readable with any key that is still at hand."""

import base64
import stat

import pytest
from hypothesis import given
from hypothesis import settings as with_settings
from hypothesis import strategies as st
from pytest_django import Settings

from crmsync.connections import secrets
from crmsync.connections.errors import SecretUnreadable

PLACE = "connection/1/secret"


@pytest.fixture(autouse=True)
def _keys(settings: Settings) -> None:
    settings.CRMSYNC_SEALING_KEYS = ["first key"]


@with_settings(deadline=None)
@given(st.text(st.characters(codec="utf-8")))
def test_what_was_sealed_opens_again(text: str) -> None:
    assert secrets.unseal(secrets.seal(text, place=PLACE), place=PLACE) == text


def test_the_secret_does_not_show_and_no_two_seals_are_alike() -> None:
    one, other = (secrets.seal("correct horse", place=PLACE) for _ in range(2))

    payload = base64.urlsafe_b64decode(one.partition(".")[2])
    assert one != other
    assert b"correct" not in payload
    assert "correct" not in one


def test_a_secret_moved_to_another_place_does_not_open() -> None:
    sealed = secrets.seal("correct horse", place=PLACE)

    with pytest.raises(SecretUnreadable, match="moved"):
        secrets.unseal(sealed, place="connection/2/secret")


@pytest.mark.parametrize("position", [10, 20, 40])
def test_a_damaged_secret_does_not_open(position: int) -> None:
    sealed = secrets.seal("correct horse battery", place=PLACE)
    other = "A" if sealed[position] != "A" else "B"

    with pytest.raises(SecretUnreadable):
        secrets.unseal(sealed[:position] + other + sealed[position + 1 :], place=PLACE)


@pytest.mark.parametrize("sealed", ["", ".", "plain text", "12345678.", "12345678.%%%%", "é.é"])
def test_what_was_never_sealed_does_not_open(sealed: str) -> None:
    with pytest.raises(SecretUnreadable):
        secrets.unseal(sealed, place=PLACE)


def test_a_cut_secret_of_our_own_key_does_not_open() -> None:
    key_id = secrets.seal("x", place=PLACE).partition(".")[0]

    for payload in ("", "AAAA", "A" * 15, "é", "====", "A" * 17):
        with pytest.raises(SecretUnreadable):
            secrets.unseal(f"{key_id}.{payload}", place=PLACE)


def test_rotated_keys_open_what_they_sealed(settings: Settings) -> None:
    old = secrets.seal("correct horse", place=PLACE)
    assert secrets.is_sealed_with_newest_key(old)

    settings.CRMSYNC_SEALING_KEYS = ["second key", "first key"]

    new = secrets.seal("correct horse", place=PLACE)
    assert secrets.unseal(old, place=PLACE) == secrets.unseal(new, place=PLACE) == "correct horse"
    assert not secrets.is_sealed_with_newest_key(old)
    assert secrets.is_sealed_with_newest_key(new)


def test_without_its_key_a_secret_is_unreadable_and_says_what_to_do(settings: Settings) -> None:
    sealed = secrets.seal("correct horse", place=PLACE)
    settings.CRMSYNC_SEALING_KEYS = ["another key"]

    with pytest.raises(SecretUnreadable, match="not at hand") as caught:
        secrets.unseal(sealed, place=PLACE)

    assert "connect again" in caught.value.remedy
    assert "correct horse" not in str(caught.value)


def test_without_a_setting_the_key_lies_in_a_file_of_its_owner(settings: Settings) -> None:
    settings.CRMSYNC_SEALING_KEYS = []

    sealed = secrets.seal("correct horse", place=PLACE)

    file = settings.CRMSYNC_DATA_DIR / "sealing.key"
    assert secrets.unseal(sealed, place=PLACE) == "correct horse"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
