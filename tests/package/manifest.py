"""Reads the package's own files, with the Supervisor's option types in our words.

Types as in the Supervisor's `apps/options.py`: str, bool, email, url, port, int(min,max), float(min,max),
str(min,max), password(min,max), match(pattern), list(a|b), each with `?` when it may be left out.
"""

import re
from pathlib import Path
from typing import Any, Final

import yaml

PROJECT: Final = Path(__file__).resolve().parents[2]
_KINDS: Final = re.compile(
    r"^(?P<kind>str|bool|email|url|port|int|float|password|match|list)(\((?P<of>.*)\))?(?P<optional>\?)?$"
)


def read_yaml(name: str) -> Any:
    return yaml.safe_load((PROJECT / name).read_text())


def types_of(schema: dict[str, Any]) -> dict[str, "OptionType"]:
    """Every line of a schema; that of a field in a list is named `list.field`."""
    found: dict[str, OptionType] = {}
    for name, given in schema.items():
        if isinstance(given, list):
            (fields,) = given
            if isinstance(fields, str):
                found[f"{name}.each"] = OptionType(fields)
                continue
            found |= {f"{name}.{field}": OptionType(line) for field, line in fields.items()}
        else:
            found[name] = OptionType(given)
    return found


class OptionType:
    """One line of `schema:`."""

    def __init__(self, line: str) -> None:
        found = _KINDS.match(line)
        if not found:
            raise ValueError(f"{line!r} is no option type")
        self.kind = found["kind"]
        self.of = found["of"] or ""
        self.optional = bool(found["optional"])

    @property
    def choices(self) -> list[str]:
        return self.of.split("|") if self.kind == "list" else []

    @property
    def bounds(self) -> tuple[int | None, int | None]:
        """The least and the most of a number, or of a text's length."""
        if self.kind == "port":
            return 1, 65535
        if self.kind not in {"int", "float", "str", "password"} or not self.of:
            return None, None
        low, _, high = self.of.partition(",")
        return int(low) if low else None, int(high) if high else None

    def takes(self, value: Any) -> bool:
        """Whether the Supervisor would let the app start with this value."""
        low, high = self.bounds
        match self.kind:
            case "bool":
                return isinstance(value, bool)
            case "int" | "port":
                fits = isinstance(value, int) and not isinstance(value, bool)
                return fits and (low is None or value >= low) and (high is None or value <= high)
            case "list":
                return value in self.choices
            case "match":
                return re.match(self.of, str(value)) is not None
            case "url":
                return isinstance(value, str) and value.startswith(("http://", "https://"))
            case _:
                return isinstance(value, str)
