"""Errors of Sales in the reader's words: by code, with what Sales said as a detail."""

import pytest
from django.utils.translation import override

from crmsync.connections import wording
from crmsync.connections.errors import Disabled
from crmsync.dataverse.errors import ConnectionLost, PrivilegeMissing, SignInFailed, Trace


def test_what_sales_said_stands_behind_our_own_sentence() -> None:
    error = PrivilegeMissing("missing prvReadAccount", Trace(service_code="0x80040220"))

    with override("da"):
        kept = wording.of_kept(
            code=error.code, service_code="0x80040220", sentence=str(error), remedy=error.remedy
        )

    assert kept.sentence == "Integrationsbrugeren mangler en rettighed til denne tabel i Sales."
    assert kept.detail == "Sales svarede: missing prvReadAccount (0x80040220)"


def test_a_status_without_a_sentence_is_told_in_the_readers_language() -> None:
    with override("da"):
        said = wording.as_said("Sales refused the request with status 403. (0x80040220)")

    assert said == "Sales svarede med status 403. (0x80040220)"


def test_our_own_english_is_no_detail() -> None:
    assert wording.of_error(ConnectionLost("The connection was lost (Timeout).")).detail == ""


def test_the_code_of_the_sign_in_service_tells_why() -> None:
    trace = Trace(service_code="AADSTS7000222")
    said = wording.of_error(SignInFailed("The application's secret has expired.", trace))

    assert said.in_short == "The application's secret has expired. (AADSTS7000222)"


@pytest.mark.parametrize(
    ("sentence", "detail"),
    [("The connection is disabled.", ""), ("The contract ended.", "The contract ended.")],
)
def test_a_disabled_connection_says_why_where_somebody_said_it(sentence: str, detail: str) -> None:
    kept = wording.of_kept(code=Disabled.code, service_code="", sentence=sentence, remedy="")

    assert (kept.sentence, kept.detail) == ("The connection is disabled.", detail)


def test_constant_sentences_of_others_are_translated_and_others_kept() -> None:
    with override("da"):
        known = wording.of_wait(code="edited_meanwhile", because="A record was edited meanwhile.")
        other = wording.of_wait(code="", because="Kept by an earlier version.")

    assert known == "En post blev redigeret imens."
    assert other == "Kept by an earlier version."


def test_long_words_of_sales_are_cut() -> None:
    error = PrivilegeMissing("x" * 2000, Trace(service_code="0x80040220"))

    assert len(wording.of_error(error).detail) == wording.MOST_CHARACTERS
