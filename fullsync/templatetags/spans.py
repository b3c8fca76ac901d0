"""Lengths of time, shares and words, as people read them."""

from django import template
from django.template.defaultfilters import floatformat
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from crmsync.frame.templatetags.frame import tag
from crmsync.terms import PhaseName
from fullsync import words
from fullsync.status import Said

register = template.Library()


@register.filter
def span(seconds: float | None) -> str:
    """``3725`` is "1 h 2 min"; None is nothing."""
    if seconds is None:
        return ""
    whole = max(0, round(seconds))
    if whole < 60:
        return _("%(n)d s") % {"n": whole}
    minutes, rest = divmod(whole, 60)
    if minutes < 10:
        return _("%(minutes)d min %(seconds)d s") % {"minutes": minutes, "seconds": rest}
    if minutes < 60:
        return _("%(minutes)d min") % {"minutes": minutes}
    return _("%(hours)d h %(minutes)d min") % {"hours": minutes // 60, "minutes": minutes % 60}


@register.filter
def percent(share: float) -> int:
    """``0.337`` is 33: nothing is called complete before it is."""
    return int(share * 100)


@register.simple_tag
def said_tag(said: Said) -> SafeString:
    """A status with its word."""
    return tag(said.tone, said.word)


@register.filter
def outcome_word(outcome: str) -> str:
    return str(words.OUTCOMES.get(outcome, outcome))


@register.filter
def outcome_tab(outcome: str) -> str:
    return str(words.OUTCOME_TABS.get(outcome, outcome))


@register.filter
def counted(n: int, outcome: str) -> str:
    """``3|counted:"failed"`` is "3 failed"."""
    return str(words.COUNTED[outcome] % {"count": n, "n": floatformat(n, "0g")})


@register.filter
def meaning(outcome: str) -> str:
    """What an outcome asks of people, if anything."""
    return str(words.MEANINGS.get(outcome, ""))


@register.filter
def phase_word(phase: str) -> str:
    return str(words.PHASES.get(phase, phase))


@register.filter
def direction_word(direction: str) -> str:
    return str(words.DIRECTIONS.get(direction, direction))


@register.filter
def way_slug(phase: str) -> str:
    """How an address names a way."""
    return "to-crm" if phase == PhaseName.TO_CRM else "from-crm"


@register.filter
def shown(value: object) -> str:
    """A value of a field; a blank one is said to be blank."""
    return _("(blank)") if value in (None, "") else str(value)
