"""That words on buttons and rows can be read under the mouse, where no judge of pages looks."""

import re
from pathlib import Path

import pytest
from django.conf import settings

COLOUR = re.compile(r"--([\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\);")
BOTH = re.compile(r"--([\w-]+): (#[0-9a-f]{6});")
LEAST = 4.5
PAIRS = [
    *[("accent-ink", ground) for ground in ("accent-solid", "accent-solid-hover")],
    *[(ink, "hover") for ink in ("ink", "ink-2", "accent")],
    *[(ink, "chosen") for ink in ("ink", "ink-2", "accent")],
    ("bad", "bad-surface"),
]


def _tokens() -> dict[str, tuple[str, str]]:
    sheet = Path(settings.BASE_DIR, "static", "crmsync.css").read_text()
    one = {name: (colour, colour) for name, colour in BOTH.findall(sheet)}
    return one | {name: (light, dark) for name, light, dark in COLOUR.findall(sheet)}


def _luminance(colour: str) -> float:
    """As WCAG 2.2 computes it."""
    shares = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize(("ink", "ground"), PAIRS)
def test_words_under_the_mouse_have_contrast_in_both_schemes(ink: str, ground: str) -> None:
    tokens = _tokens()
    for one, other in zip(tokens[ink], tokens[ground], strict=True):
        dark, light = sorted((_luminance(one), _luminance(other)))
        assert (light + 0.05) / (dark + 0.05) >= LEAST, f"{one} on {other}"
