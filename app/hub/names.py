"""Names: what people and devices called things, and names for what has none."""

import unicodedata
from typing import Any, Final

_REORDERING: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Unicode's embeddings, overrides and isolates: one left open turns round whatever follows the name."""
_LONGEST: Final = 200


def plain_name(given: Any) -> str:
    """Return a name as one line that leaves the text around it alone; "" for what is no text.

    A name ends up in sentences, on the page, in mails and over MQTT: after an override `at 23:10` would read
    `01:32 ta`. Letters of every script, and emoji with their joiners, stay as they are.
    """
    if not isinstance(given, str):
        return ""
    kept = (
        " " if unicodedata.category(letter) in {"Cc", "Cs", "Zl", "Zp"} else letter
        for letter in given
        if letter not in _REORDERING
    )
    return " ".join("".join(kept).split())[:_LONGEST]


def readable_name(entity_id: str) -> str:
    """Return `light.kitchen_lamp_2` as `Kitchen lamp 2`."""
    words = entity_id.partition(".")[2].replace("_", " ").strip()
    return words[:1].upper() + words[1:] if words else entity_id
