"""What a language model may say: checked word by word against what was given to it.

A model reads names that anybody in the home can choose, so whatever it says is treated as from outside: it
may phrase the facts, it may not add to them, link anywhere or format anything.
"""

import json
import re
import unicodedata
from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from app.errors import NeighbourError
from app.words.wording import LONGEST_DESCRIPTION, LONGEST_TITLE, Words

_NEVER = set("<>`{}\\")
_ONLY_AS_GIVEN = set("*[]|#_@~^")
_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
_DOTTED = re.compile(r"[^\W\d_][\w-]+\.[\w-]{2,}", re.IGNORECASE)
_WORD = re.compile(r"[^\W\d_]{4,}")
_UNITS = {
    "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10,
    "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16, "seventeen": 17,
    "eighteen": 18, "nineteen": 19,
}  # fmt: skip
_TENS = {
    "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80,
    "ninety": 90,
}  # fmt: skip
_NUMBER_WORDS = _UNITS | _TENS | {"hundred": 100, "thousand": 1000}
_NUMBER_IN_WORDS = re.compile(
    rf"\b(?:(?P<tens>{'|'.join(_TENS)})[- ](?P<unit>one|{'|'.join(_UNITS)})"
    rf"|(?P<word>{'|'.join(_NUMBER_WORDS)}))\b"
)


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    title: Annotated[
        str, StringConstraints(strip_whitespace=True), Field(min_length=1, max_length=LONGEST_TITLE)
    ]
    description: Annotated[
        str,
        StringConstraints(strip_whitespace=True),
        Field(min_length=1, max_length=LONGEST_DESCRIPTION),
    ]


def read_text(text: str) -> Any:
    """Return the JSON object in a model's answer, from behind its thoughts and out of its code fence.

    Raises NeighbourError when there is none.
    """
    said = text.rpartition("</think>")[2]
    start, end = said.find("{"), said.rfind("}")
    try:
        return json.loads(said[start : end + 1])
    except ValueError:
        raise NeighbourError("the model's answer is not the JSON it was asked for") from None


def checked(answer: Any, template: Words, facts: str) -> Words:
    """Return a model's answer as words when all it says is in the template and the facts (JSON text).

    Raises NeighbourError telling what is wrong, without repeating the text.
    """
    try:
        given = _Answer.model_validate(answer)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "answer"
        raise NeighbourError(f"the model's answer does not fit ({where}: {first['msg']})") from None
    source = f"{template.title}\n{template.description}\n{facts}"
    for text in (given.title, given.description):
        if (wrong := _what_is_wrong(text, source)) is not None:
            raise NeighbourError(f"the model's text was not used: it has {wrong}")
    both = f"{given.title} {given.description}"
    if not _words(both) & _words(f"{template.title} {template.description}"):
        raise NeighbourError("the model's text was not used: it speaks of something else")
    return Words(given.title, given.description, by_model=True)


def _what_is_wrong(text: str, source: str) -> str | None:
    letters = set(text)
    if any(unicodedata.category(letter)[0] == "C" or letter in "\u2028\u2029" for letter in letters):
        return "line breaks or control characters"
    if letters & _NEVER or (letters & _ONLY_AS_GIVEN) - set(source):
        return "markup"
    if "://" in text or "www." in text.casefold():
        return "a link"
    if any(dotted.casefold() not in source.casefold() for dotted in _DOTTED.findall(text)):
        return "a name with a dot that was not given: a link or an entity"
    return _number_not_given(text, source)


def _number_not_given(text: str, source: str) -> str | None:
    given = set(_NUMBER.findall(source))
    if any(number not in given for number in _NUMBER.findall(text)):
        return "a number that was not given"
    if any(unicodedata.category(letter) in {"Nl", "No"} and letter not in source for letter in text):
        return "a number that was not given"
    told = set(_numbers_in_words(source))
    if any(number not in told and str(number) not in given for number in _numbers_in_words(text)):
        return "a number that was not given"
    return None


def _numbers_in_words(text: str) -> Iterator[int]:
    """Yield the numbers that English words say, `twenty-two` as 22; `one` alone is rarely a number."""
    for found in _NUMBER_IN_WORDS.finditer(text.casefold()):
        if found["tens"]:
            yield _TENS[found["tens"]] + _UNITS.get(found["unit"], 1)
        else:
            yield _NUMBER_WORDS[found["word"]]


def _words(text: str) -> set[str]:
    return {word.casefold() for word in _WORD.findall(text)}
