"""The words that make a line of the hub's log, or a notification in its side bar, an alert: people's list."""

import re
from collections.abc import Sequence
from typing import Annotated, Any, Final

from pydantic import Field, TypeAdapter, ValidationError, field_validator

from app.alerts.alert import Level
from app.clock import Clock, to_ms
from app.errors import InputError
from app.model import Frozen
from app.store.database import Store

MOST: Final = 100


class Keyword(Frozen):
    """A word or a few, looked for as whole words whatever their case, and how much it matters."""

    word: Annotated[str, Field(min_length=3, max_length=80)]
    level: Level = Level.MEDIUM

    @field_validator("word", mode="before")
    @classmethod
    def _one_line(cls, value: Any) -> Any:
        return " ".join(value.split()) if isinstance(value, str) else value

    @field_validator("word")
    @classmethod
    def _has_letters(cls, value: str) -> str:
        if not any(letter.isalnum() for letter in value):
            raise ValueError("a keyword has letters or digits")
        return value

    @property
    def key(self) -> str:
        """What two keywords that are the same share."""
        return self.word.casefold()


DEFAULTS: Final = (
    Keyword(word="no space left on device", level=Level.HIGH),
    Keyword(word="disk is full", level=Level.HIGH),
    Keyword(word="disk image is malformed", level=Level.HIGH),
    Keyword(word="read-only file system", level=Level.HIGH),
    Keyword(word="out of memory", level=Level.HIGH),
    Keyword(word="undervoltage", level=Level.MEDIUM),
    Keyword(word="overheating", level=Level.MEDIUM),
    Keyword(word="invalid config", level=Level.MEDIUM),
    Keyword(word="invalid configuration", level=Level.MEDIUM),
    Keyword(word="login attempt", level=Level.MEDIUM),
    Keyword(word="certificate has expired", level=Level.MEDIUM),
)
"""What is looked for until people change the list. docs/alerts.md says why each."""
_ALL: Final = TypeAdapter(tuple[Keyword, ...])


def checked(given: Any) -> tuple[Keyword, ...]:
    """Return keywords as people gave them (`[{word, level}]`).

    Raises InputError, one line that says which and why.
    """
    if not isinstance(given, list):
        raise InputError("keywords: give a list of {word, level}")
    if len(given) > MOST:
        raise InputError(f"keywords: at most {MOST}")
    for number, one in enumerate(given, 1):
        if isinstance(one, dict) and (unknown := sorted(map(str, one.keys() - {"word", "level"}))):
            raise InputError(f"keyword {number}: {unknown[0][:50]!r} is not taken here; word and level are")
    try:
        keywords = _ALL.validate_python(given)
    except ValidationError as error:
        first = error.errors()[0]
        at, *inside = first["loc"]
        where = "".join(f" {part}:" for part in inside)
        said = first["msg"].removeprefix("Value error, ")
        raise InputError(f"keyword {int(at) + 1}:{where} {said}") from None
    keys = [one.key for one in keywords]
    if twice := next((one for one in keywords if keys.count(one.key) > 1), None):
        raise InputError(f"keywords: {twice.word!r} is there more than once")
    return keywords


def pattern_of(keywords: Sequence[Keyword]) -> re.Pattern[str] | None:
    """Return what finds any of them as whole words; None for none."""
    if not keywords:
        return None
    words = sorted((re.escape(one.word).replace(r"\ ", r"\s+") for one in keywords), key=len, reverse=True)
    return re.compile(r"(?<!\w)(?:" + "|".join(words) + r")(?!\w)", re.IGNORECASE)


class Keywords:
    """Each home's list; the defaults until it is changed."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def of(self, home_id: str) -> tuple[Keyword, ...]:
        async with self._store.reading() as db:
            rows = await db.execute_fetchall(
                "SELECT keywords FROM alert_keywords WHERE home_id = ?", (home_id,)
            )
        return next((_ALL.validate_json(row["keywords"]) for row in rows), DEFAULTS)

    async def replace(self, home_id: str, keywords: Sequence[Keyword], by: str) -> None:
        """Make this the list; `by` is a user id, or empty."""
        body = _ALL.dump_json(tuple(keywords)).decode()
        async with self._store.writing() as db:
            await db.execute(
                "INSERT INTO alert_keywords (home_id, keywords, changed_at, changed_by) VALUES (?, ?, ?, ?)"
                " ON CONFLICT (home_id) DO UPDATE SET keywords = excluded.keywords,"
                " changed_at = excluded.changed_at, changed_by = excluded.changed_by",
                (home_id, body, to_ms(self._clock.now()), by),
            )

    async def restore(self, home_id: str) -> None:
        """Go back to the defaults."""
        async with self._store.writing() as db:
            await db.execute("DELETE FROM alert_keywords WHERE home_id = ?", (home_id,))
