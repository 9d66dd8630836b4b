"""What a job's own functions give, checked and bounded before it is kept: subjects, counts, checks."""

from collections.abc import Mapping

from app.jobs.subject import Subject
from app.jobs.text import one_line

ID_LIMIT = 255
NAME_LIMIT = 200
_NAMES = 50
"""So many counts and checks of one subject are kept."""


def usable(subject_id: str) -> bool:
    """Whether it can be a key in the ledger and be told to people."""
    return 0 < len(subject_id) <= ID_LIMIT and subject_id.isprintable()


def key_of(subject: Subject) -> str:
    """Return its id, or of one that cannot be used as much as can be written down."""
    return subject.subject_id if usable(subject.subject_id) else one_line(subject.subject_id, 64)


def label_of(subject: Subject) -> str:
    """Return what people know it by."""
    return one_line(subject.label, NAME_LIMIT) or "(no name)"


def counted(given: object) -> dict[str, int]:
    """Return what work counted; raise TypeError or ValueError, its failure, when that is no counts."""
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise TypeError(f"a job's work returns counts or nothing, not {type(given).__name__}")
    return {_short(name): int(count) for name, count in list(given.items())[:_NAMES]}


def checked(given: object) -> dict[str, bool]:
    """Return what a verification found; raise TypeError when that is no checks by name."""
    if not isinstance(given, Mapping):
        raise TypeError(f"a verification returns its checks by name, not {type(given).__name__}")
    # Those that do not hold first: none of them may be beyond the bound.
    checks = sorted(given.items(), key=lambda check: bool(check[1]))
    return {_short(name): bool(holds) for name, holds in checks[:_NAMES]}


def _short(name: object) -> str:
    return one_line(str(name), 100)
