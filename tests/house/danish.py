"""Reads pages as a Dane does, and notices what is English on them."""

import html
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from django.conf import settings
from django.test import Client

from crmsync.connections.models import Connection
from crmsync.ledger.models import CompanyInformation, Currency, Customer, Salesperson
from crmsync.sync.models import CrmRecord
from tests.house import catalogue

# Frequent in English, and no Danish words.
TELL_TALE = re.compile(
    r"\b(?:[Tt]he|[Ii]s|[Nn]ot|[Aa]nd|[Ww]as|[Aa]re|[Ww]ere|been|[Hh]as|[Ww]ith|[Tt]his|"
    r"[Tt]hat|[Ww]hich|[Oo]f|[Ii]ts|[Yy]our?)\b"
)
# Commands and scripts are the same in every language; the other language names itself; and what
# is chosen by a row id of Sales is called as it is there.
NOT_READ = re.compile(
    r"<(script|style|code)\b.*?</\1>|<button[^>]*name=\"language\".*?</button>"
    r"|<option value=\"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\".*?</option>",
    re.DOTALL,
)
# The detail behind a sentence of ours: in the words of Sales, up to its code.
SAID_BY_SALES = re.compile(r"\(.* 0x[0-9a-f]{8}\)")
READ_ALOUD = re.compile(r"\b(?:aria-label|title|placeholder|alt|data-label)=\"([^\"]*)\"")
LONG_ENOUGH_FOR_DATA = 3
# Longer names are cut on some pages.
SHOWN_OF_A_NAME = 99


def in_danish(client: Client) -> Client:
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "da"
    return client


def english_on(page: str) -> list[str]:
    """Pieces of text that hold English words, or are English texts that have a Danish one."""
    data = _data()
    found = []
    for piece in _pieces(page):
        own = _without(data, SAID_BY_SALES.sub("", piece))
        if TELL_TALE.search(own) or own.strip() in _untranslated():
            found.append(piece)
    return found


def _pieces(page: str) -> Iterator[str]:
    read = NOT_READ.sub(" ", page)
    for piece in (*re.split(r"<[^>]*>", read), *READ_ALOUD.findall(read)):
        if text := " ".join(html.unescape(piece).split()):
            yield text


@cache
def _untranslated() -> frozenset[str]:
    """English texts that are no Danish ones, of whatever meaning: By is a Danish word, too."""
    pairs = [
        (english, catalogue.texts_of(message.string))
        for message in catalogue.stored()
        for english in catalogue.texts_of(message.id)
    ]
    danish = {text for _, texts in pairs for text in texts}
    return frozenset(english for english, _ in pairs) - danish - {""}


def _data() -> list[str]:
    """What people and Sales entered, which nobody translates; the longest first."""
    models = (CompanyInformation, Currency, Customer, Salesperson, Connection)
    rows: list[Any] = [row for model in models for row in model._default_manager.values()]
    rows += list(CrmRecord.objects.values_list("values", flat=True))
    rows += [{"title": title} for title in CrmRecord.objects.values_list("title", flat=True)]
    texts = {text for row in rows for text in _texts(row)}
    return sorted(texts, key=len, reverse=True)


def _without(data: list[str], piece: str) -> str:
    """In one pass, as one text may hold another."""
    held = [re.escape(text) for text in data if text in piece]
    return re.sub("|".join(held), "", piece) if held else piece


def _texts(row: dict[str, Any]) -> Iterator[str]:
    for value in row.values():
        text = " ".join(str(value).split()) if isinstance(value, str) else ""
        if len(text) >= LONG_ENOUGH_FOR_DATA:
            yield from (text, text[:SHOWN_OF_A_NAME])
