"""What changes between two texts, line by line, as people read it: what stays far from it is left out."""

from dataclasses import dataclass
from typing import Final

_AROUND: Final = 3
"""Lines shown before and after the change, and at the beginning: what it is called."""
_MOST_WHOLE: Final = 12
"""A text of at most so many lines is shown whole."""
_SIGNS: Final = {"same": " ", "added": "+", "removed": "-", "gap": " "}


@dataclass(frozen=True, slots=True)
class Line:
    """One line; `kind` is `same`, `added`, `removed`, or `gap` for lines left out. `text` may be hostile."""

    kind: str
    text: str

    @property
    def sign(self) -> str:
        """What stands before it: told without colours."""
        return _SIGNS[self.kind]


def difference(before: str, after: str) -> tuple[Line, ...]:
    """Return the lines of both texts in order, each as what it is.

    All that changes is one stretch: what is added to an automation is in one place, and texts of any length
    are compared in one pass.
    """
    old, new = before.splitlines(), after.splitlines()
    most = min(len(old), len(new))
    head = next((i for i in range(most) if old[i] != new[i]), most)
    tail = next((i for i in range(most - head) if old[-1 - i] != new[-1 - i]), most - head)
    lines = [
        *(Line("same", text) for text in old[:head]),
        *(Line("removed", text) for text in old[head : len(old) - tail]),
        *(Line("added", text) for text in new[head : len(new) - tail]),
        *(Line("same", text) for text in old[len(old) - tail :]),
    ]
    return tuple(lines) if len(lines) <= _MOST_WHOLE else tuple(_folded(lines))


def _folded(lines: list[Line]) -> list[Line]:
    changed = [i for i, line in enumerate(lines) if line.kind != "same"]
    near = {i for at in (0, *changed) for i in range(at - _AROUND, at + _AROUND + 1)}
    folded: list[Line] = []
    for i, line in enumerate(lines):
        if i in near:
            folded.append(line)
        elif not folded or folded[-1].kind != "gap":
            folded.append(Line("gap", "…"))
    return folded
