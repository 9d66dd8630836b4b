"""The scorecards that come with Nightshift: data, as people write their own."""

from functools import cache
from importlib.resources import files
from typing import Final

NAMES: Final = ("home", "business")
"""`home` is on from the start; `business` once its entities are there and somebody switches it on."""


@cache
def shipped_texts() -> dict[str, str]:
    """Return the shipped scorecards' texts by name. Reads files: the first call belongs in a thread."""
    return {name: files(__name__).joinpath(f"{name}.yaml").read_text("utf-8") for name in NAMES}
