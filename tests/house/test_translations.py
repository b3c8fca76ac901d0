"""Both languages are complete: every text is marked, translated and compiled."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.template.base import Lexer, TokenType

from tests.house import catalogue

TEMPLATES = sorted((catalogue.ROOT / "templates").rglob("*.html"))
# A command is typed as it stands, in every language.
MARKUP = re.compile(
    r"<!--.*?-->|<!doctype[^>]*>|<code>.*?</code>|<[^>]*>", re.DOTALL | re.IGNORECASE
)
SPOKEN_ATTRIBUTES = re.compile(
    r"\b(?:aria-label|aria-description|title|placeholder|alt|data-label)=\"([^\"]*)\""
)
WORD = re.compile(r"[^\W\d_]{2,}")
# The same in every language.
NAMES = {"crmsync", "Sales", "Financials", "URL", "ID", "nbsp", "middot", "rarr", "larr"}
PLACEHOLDER = re.compile(r"%\((\w+)\)[sd]")


def test_every_text_has_a_danish_translation() -> None:
    assert catalogue.missing() == []


def test_the_compiled_catalogue_is_that_of_the_source() -> None:
    assert catalogue.MO.read_bytes() == catalogue.compiled()


def test_the_catalogue_holds_no_dead_texts() -> None:
    wanted = {message.id for message in catalogue.wanted()}
    assert [message.id for message in catalogue.stored() if message.id not in wanted] == []


def test_translations_keep_the_placeholders() -> None:
    for message in catalogue.stored():
        ids, strings = catalogue.texts_of(message.id), catalogue.texts_of(message.string)
        names = {name for text in ids for name in PLACEHOLDER.findall(text)}
        for string in strings:
            assert set(PLACEHOLDER.findall(string)) <= names, message.id
        assert {name for text in strings for name in PLACEHOLDER.findall(text)} == names, message.id


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(catalogue.ROOT)))
def test_templates_say_nothing_untranslated(path: Path) -> None:
    assert [words for words in _bare_words(path.read_text()) if words] == []


def _bare_words(source: str) -> Iterator[list[str]]:
    """Words outside of translation tags, in text and in attributes that are read aloud."""
    text, is_marked = "", False
    for token in Lexer(source).tokenize():
        if token.token_type is TokenType.BLOCK:
            name = token.contents.split()[0]
            is_marked = name == "blocktranslate" or (is_marked and name != "endblocktranslate")
        elif token.token_type is TokenType.TEXT and not is_marked:
            text += token.contents
    spoken = " ".join(SPOKEN_ATTRIBUTES.findall(text))
    for chunk in (MARKUP.sub(" ", text), spoken):
        yield [word for word in WORD.findall(chunk) if word not in NAMES]
