"""What of a text a reader can see: characters that show nothing, and those that mislead."""

import unicodedata

# Unicode's property Bidi_Control: they turn the order round in which a reader sees the rest.
_TURNS_ORDER = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_SHOWS_NOTHING = frozenset({"Cc", "Cf", "Zl", "Zp", "Zs"})


def shows_nothing(text: str) -> bool:
    """Whether it is blank to a reader: empty, spaces, or invisible characters only."""
    return all(unicodedata.category(one) in _SHOWS_NOTHING for one in text)


def misleads(text: str) -> bool:
    """Whether it holds control characters, which nobody can type or search for."""
    return any(one in _TURNS_ORDER or unicodedata.category(one) == "Cc" for one in text)
