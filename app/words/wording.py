"""What a suggestion says to people: a title and a sentence or two."""

from dataclasses import dataclass

LONGEST_TITLE = 80
LONGEST_DESCRIPTION = 400


@dataclass(frozen=True, slots=True)
class Words:
    """Plain text, no markup. `by_model` tells that a language model wrote it, not a template."""

    title: str
    description: str
    by_model: bool = False
