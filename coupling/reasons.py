"""Why a pair is suggested: stable codes to keep, sentences to read."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from coupling.likeness import Reasons
from crmsync.mapping.captions import caption_of
from crmsync.mapping.registry import get_mapping
from crmsync.mapping.types import TableMapping


def as_codes(mapping: TableMapping, reasons: Reasons) -> dict[str, Any]:
    """{"same": [fields], "similar": field}, each only where there is one."""
    codes: dict[str, Any] = {"same": list(reasons.same)} if reasons.same else {}
    return codes | ({"similar": mapping.title} if reasons.is_similar_name else {})


def reason_sentences(mapping: str, reasons: Mapping[str, Any]) -> list[str]:
    """The codes in the reader's language, such as "Same Email"; in the declaration's order."""
    declared = get_mapping(mapping)
    names = [one.ledger for one in declared.fields]
    same = sorted(reasons.get("same", ()), key=names.index)
    sentences = [_("Same %(field)s") % {"field": caption_of(declared, name)} for name in same]
    if similar := reasons.get("similar"):
        sentences.append(_("Similar %(field)s") % {"field": caption_of(declared, similar)})
    return sentences
