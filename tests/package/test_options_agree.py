"""One list of options in four places: the code, the manifest, the form's texts, the documentation."""

import re
from enum import EnumType
from typing import Any, Final, get_args

import annotated_types
import pytest
from pydantic import SecretStr

from app.options import Options
from tests.package.manifest import PROJECT, OptionType, read_yaml

_CONFIG: Final[dict[str, Any]] = read_yaml("config.yaml")
_TEXTS: Final[dict[str, Any]] = read_yaml("translations/en.yaml")
_ELSEWHERE: Final = frozenset({"hub_url", "hub_token"})
"""Under the Supervisor its proxy is the way to the hub: these two are for other machines only."""
_IN_THE_FORM: Final = [name for name in Options.model_fields if name not in _ELSEWHERE]


def _plain(value: Any) -> Any:
    """A default as it stands in YAML."""
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, tuple):
        return list(value)
    return str(value) if isinstance(value, str) else value


def test_the_manifest_has_the_options_of_the_code_in_the_same_order() -> None:
    assert list(_CONFIG["schema"]) == _IN_THE_FORM


def test_the_defaults_are_the_codes_own() -> None:
    code = {name: _plain(Options.model_fields[name].default) for name in _CONFIG["options"]}
    assert _CONFIG["options"] == code


def test_what_the_form_starts_with_is_accepted() -> None:
    assert Options(**_CONFIG["options"]) == Options()


@pytest.mark.parametrize("name", _IN_THE_FORM)
def test_the_form_takes_what_the_code_takes(name: str) -> None:
    field = Options.model_fields[name]
    if isinstance(given := _CONFIG["schema"][name], list):
        (item,) = (kind for kind in get_args(field.annotation) if kind is not Ellipsis)
        if isinstance(given[0], str):
            assert OptionType(given[0]).kind == "match"
            assert given[0] == f"match({get_args(item)[1].metadata[0].pattern})"
            return
        assert list(given[0]) == list(item.model_fields)
        assert {OptionType(line).kind for line in given[0].values()} <= {"str", "match"}
        return
    shown = OptionType(given)
    if isinstance(field.annotation, EnumType):
        assert shown.choices == [choice.value for choice in field.annotation]
    elif field.annotation is SecretStr:
        assert shown.kind == "password"
    elif field.annotation is bool:
        assert shown.kind == "bool"
    elif field.annotation is int:
        assert shown.bounds == _bounds(field.metadata)
    elif name.endswith("_url"):
        assert shown.kind == "url"
    elif shown.kind == "list":
        assert tuple(shown.choices) == get_args(field.annotation)
    else:
        assert shown.kind in {"str", "match"}
        assert shown.takes(field.default)


def _bounds(metadata: list[Any]) -> tuple[Any, Any]:
    low = next(one.ge for one in metadata if isinstance(one, annotated_types.Ge))
    high = next(one.le for one in metadata if isinstance(one, annotated_types.Le))
    return low, high


def test_every_option_and_port_has_its_text_in_the_form() -> None:
    assert list(_TEXTS["configuration"]) == _IN_THE_FORM
    assert _TEXTS["network"].keys() == _CONFIG["ports"].keys()
    for name, said in _TEXTS["configuration"].items():
        assert said.keys() == {"name", "description"}, name
        assert said["description"].endswith("."), name


def test_every_option_is_documented_with_its_default() -> None:
    rows = dict(
        re.findall(r"^\| `(\w+)` \| (.*?) \|", (PROJECT / "docs/options.md").read_text(), flags=re.MULTILINE)
    )
    told = {name: _told(Options.model_fields[name].default) for name in Options.model_fields}
    assert rows == told


def _told(default: Any) -> str:
    plain = _plain(default)
    if plain is None or plain in ("", []):
        return ""
    return f"`{str(plain).lower() if isinstance(plain, bool) else plain}`"


def test_the_documentation_tab_names_every_option_of_the_form() -> None:
    text = (PROJECT / "DOCS.md").read_text()
    assert [name for name in _IN_THE_FORM if f"`{name}`" not in text] == []
