"""Texts that people type for others to read."""

import pytest

from coupling.forms import ReasonForm
from crmsync.frame.fields import PlainText
from setup_wizard.connection_setup.forms import DisableForm


@pytest.mark.parametrize("text", ["stop\u202etrats", "one\u2066two", "bell\x07", "a\u061cb"])
def test_a_reason_that_turns_the_order_of_reading_round_is_refused(text: str) -> None:
    form = DisableForm({"reason": text})

    assert "control characters" in form.errors["reason"][0]
    assert "control characters" in ReasonForm({"reason": text}).errors["reason"][0]


@pytest.mark.parametrize("text", ["\u200b", "  ", "\u2060\u00ad"])
def test_a_reason_that_shows_nothing_is_blank(text: str) -> None:
    (said,) = DisableForm({"reason": text}).errors["reason"]
    assert said == "Say in a few words why, so that others understand it."


def test_a_text_of_several_words_and_emoji_is_taken_as_it_is() -> None:
    text = "\u00c5rsafslutning \U0001f468\u200d\U0001f4bb til fredag"
    assert PlainText().clean(text) == text
