"""Small parts of pages: icons and status tags."""

from functools import cache

from django import template
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

from crmsync.mapping.wording import HIDDEN_REMEDY, hidden_captions

register = template.Library()

_TONES = {"good": "good", "warn": "warn", "bad": "bad", "info": "sync", "wait": "wait"}


@register.simple_tag
@cache
def icon(name: str) -> SafeString:
    """A picture beside a word that says the same."""
    return format_html(
        '<svg class="icon" aria-hidden="true" focusable="false"><use href="{}#{}"></use></svg>',
        static("icons.svg"),
        name,
    )


@register.simple_tag
def tag(tone: str, text: object) -> SafeString:
    """A status: ``tone`` is good, warn, bad, info, wait or none; the word says it, too."""
    return format_html(
        '<span class="tag tag-{}">{}<span>{}</span></span>',
        tone,
        icon(_TONES.get(tone, "none")),
        text,
    )


@register.inclusion_tag("frame/_hidden_columns.html")
def hidden_columns() -> dict[str, object]:
    """A warning that names what Sales hides from us; nothing where it hides nothing."""
    return {"columns": hidden_captions(), "remedy": HIDDEN_REMEDY}
