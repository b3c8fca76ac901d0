"""When two texts look like the same thing to a person."""

import re
import unicodedata

_NOT_A_LETTER = re.compile(r"[\W_]+")


def fold(text: object) -> str:
    """A name without letter case, accents of composition, punctuation and doubled spaces.

    ``Søren & Co. A/S`` and ``SØREN & CO A/S`` fold alike; letters such as ø stay what they are.
    """
    composed = unicodedata.normalize("NFKC", str(text or "")).casefold()
    return _NOT_A_LETTER.sub(" ", composed).strip()
