"""Errors of Sales in the reader's words: by code, with what Sales said as a detail."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.utils.translation import override

from crmsync.connections import wording
from crmsync.connections.errors import Disabled
from crmsync.dataverse import errors, token_service
from crmsync.dataverse.errors import (
    ConnectionLost,
    EnvironmentRefused,
    ImportFailed,
    PrivilegeMissing,
    SignInFailed,
    Trace,
)

CLIENT = Path(errors.__file__).parent
OF_THE_SIGN_IN_SERVICE = [*token_service._SENTENCES, token_service.CANCELLED]


def _constant_sentences() -> Iterator[str]:
    """Sentences without names, wherever the client makes an error that stops everything."""
    for path in sorted(CLIENT.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and node.args and _stops_everything(node.func):
                told = node.args[0]
                if isinstance(told, ast.Constant) and isinstance(told.value, str):
                    yield told.value


def _stops_everything(made: ast.expr) -> bool:
    kind = getattr(errors, made.id, None) if isinstance(made, ast.Name) else None
    return isinstance(kind, type) and issubclass(kind, EnvironmentRefused)


def test_every_constant_sentence_of_the_client_waits_for_the_readers_language() -> None:
    found = list(_constant_sentences())

    assert len(found) > 20
    assert [told for told in found if not wording.is_constant(told)] == []


@pytest.mark.parametrize("code", OF_THE_SIGN_IN_SERVICE)
def test_every_refusal_of_a_sign_in_that_the_client_knows_is_told_apart(code: int | str) -> None:
    answer = {"error_codes": [code]} if isinstance(code, int) else {"error": code}
    refusal = token_service.refused(answer)

    with override("da"):
        assert wording.of_error(refusal).sentence not in {"Logonet blev afvist.", refusal.sentence}


def test_what_sales_said_of_a_refused_import_stands_behind_our_own_sentence() -> None:
    error = ImportFailed("The publisher differs.", Trace(service_code="0x8004802c"))
    said = wording.of_error(error)

    assert said.sentence == "Sales could not import the integration solution."
    assert said.detail == "(The publisher differs. 0x8004802c)"


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
