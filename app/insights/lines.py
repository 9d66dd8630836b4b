"""YAML that remembers its lines: what people write by hand is refused with the line that is wrong."""

import re
from dataclasses import dataclass
from typing import Any, Final

import yaml

from app.errors import InputError

LONGEST: Final = 32 * 1024
"""So many characters are read at most."""
_DEEPEST: Final = 12
_LONGEST_NUMBER: Final = 40
_MOST_TOLD: Final = 20
_TAG: Final = "tag:yaml.org,2002:"

_COLLECTIONS: Final = frozenset({f"{_TAG}map", f"{_TAG}seq"})

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong: the line (from 1), where in the text by names, and what to write instead."""

    line: int
    where: str
    said: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.where + ': ' if self.where else ''}{self.said}"


class FaultsError(InputError):
    """The text is wrong; the message is the first fault, `faults` are all that were found (20 at most)."""

    def __init__(self, faults: list[Fault]) -> None:
        self.faults: Final = tuple(sorted(faults, key=lambda fault: fault.line)[:_MOST_TOLD])
        more = len(self.faults) - 1
        super().__init__(f"{self.faults[0]}{f' (and {more} more)' if more else ''}")


@dataclass(frozen=True, slots=True)
class Lined:
    """What the text says, as plain JSON values, and the line of each of its keys and list items."""

    value: Any
    lines: dict[Path, int]

    def line(self, path: Path) -> int:
        """Return the line of `path`, or of what is nearest above it."""
        while path not in self.lines and path:
            path = path[:-1]
        return self.lines.get(path, 1)


class _Loader(yaml.SafeLoader):
    """Words stay words: only true and false are truth values, `on` and `22:00` are text."""


_Loader.yaml_implicit_resolvers = {}
for _kind, _pattern, _first in (
    ("bool", r"true|True|false|False", "tTfF"),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("int", r"[-+]?[0-9]+", "-+0123456789"),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", "-+.0123456789"),
):
    _Loader.add_implicit_resolver(f"{_TAG}{_kind}", re.compile(f"^(?:{_pattern})$"), list(_first))


def read_lines(text: str) -> Lined:
    """Read one YAML document of mappings, lists, texts and numbers; anchors, tags and the like are refused.

    Raises FaultsError. Takes time in proportion to the text: call it in a thread for one from outside.
    """
    if len(text) > LONGEST:
        raise FaultsError([Fault(1, "", f"the text is longer than {LONGEST} characters: make it shorter")])
    try:
        _check_shape(text)
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
        finally:
            loader.dispose()
    except yaml.YAMLError as error:
        raise FaultsError([_fault_of(error, text)]) from None
    if node is None:
        raise FaultsError([Fault(1, "", "the text is empty: write name, title and categories")])
    lines: dict[Path, int] = {(): node.start_mark.line + 1}
    return Lined(_plain(node, (), lines), lines)


def _check_shape(text: str) -> None:
    """Refuse what could grow (an alias repeats its anchor) or go too deep, before anything is built."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.AliasEvent):
            raise FaultsError([Fault(line, "", f"*{event.anchor} is not taken here: write it out")])
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > _DEEPEST:
                raise FaultsError([Fault(line, "", "this is nested too deeply: a scorecard never is")])
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _plain(node: yaml.Node, path: Path, lines: dict[Path, int]) -> Any:
    if isinstance(node, yaml.CollectionNode) and node.tag not in _COLLECTIONS:
        raise FaultsError([_tagged(node, path)])
    if isinstance(node, yaml.MappingNode):
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                raise FaultsError([Fault(line, words_of(path), "a name has to stand before the colon")])
            key = str(key_node.value)
            if key in found:
                raise FaultsError([Fault(line, words_of(path), f"{key[:50]} stands here twice: keep one")])
            lines[*path, key] = line
            found[key] = _plain(value_node, (*path, key), lines)
        return found
    if isinstance(node, yaml.SequenceNode):
        items = []
        for number, item in enumerate(node.value):
            lines[*path, number] = item.start_mark.line + 1
            items.append(_plain(item, (*path, number), lines))
        return items
    return _scalar(node, path)


def _scalar(node: yaml.Node, path: Path) -> str | int | float | bool | None:
    text, line = str(node.value), node.start_mark.line + 1
    match node.tag.removeprefix(_TAG):
        case "str":
            return text
        case "null":
            return None
        case "bool":
            return text.lower() == "true"
        case "int" | "float" as kind if len(text) <= _LONGEST_NUMBER:
            return int(text) if kind == "int" else float(text)
        case "int" | "float":
            said = "this number is too long"
        case _:
            raise FaultsError([_tagged(node, path)])
    raise FaultsError([Fault(line, words_of(path), said)])


def _tagged(node: yaml.Node, path: Path) -> Fault:
    said = f"{node.tag.removeprefix(_TAG)[:50]} is not taken here: write it without a tag"
    return Fault(node.start_mark.line + 1, words_of(path), said)


def words_of(path: Path) -> str:
    """Return a path for people: list items counted from 1."""
    return ", ".join(str(part + 1) if isinstance(part, int) else part[:50] for part in path)


def _fault_of(error: yaml.YAMLError, text: str) -> Fault:
    if isinstance(error, yaml.MarkedYAMLError):
        mark = error.problem_mark or error.context_mark
        problem = " ".join(str(error.problem or error.context or "this is no YAML").split())
        return Fault(mark.line + 1 if mark else 1, "", f"this is no YAML: {problem[:200]}")
    if isinstance(error, yaml.reader.ReaderError):
        line = text.count("\n", 0, error.position) + 1
        return Fault(line, "", "there is a character that is no text: take it out")
    return Fault(1, "", "this is no YAML")
