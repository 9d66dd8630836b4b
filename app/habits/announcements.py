"""What the habits capability announces on the bus."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SuggestionsChanged:
    """A night ended with these suggestions on offer. All texts are titles; `offered` counts `titles`."""

    home_id: str
    run_id: str
    offered: int
    titles: tuple[str, ...]
    created: tuple[str, ...]
    faded: tuple[str, ...]
