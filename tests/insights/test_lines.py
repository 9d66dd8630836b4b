"""YAML that remembers its lines, and takes nothing that a scorecard never needs."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.insights.lines import LONGEST, FaultsError, read_lines

BILLION_LAUGHS = "a: &a [x]\nb: &b [*a, *a]\nc: [*b, *b]\n"


def refused(text: str) -> tuple[int, str]:
    with pytest.raises(FaultsError) as refusal:
        read_lines(text)
    (fault,) = refusal.value.faults
    return fault.line, fault.said


def test_every_key_and_item_knows_its_line() -> None:
    lined = read_lines("# a comment\nname: home\n\nlist:\n  - one: 1\n    two: 2\n  - {three: 3}\n")
    assert lined.value == {"name": "home", "list": [{"one": 1, "two": 2}, {"three": 3}]}
    assert lined.line(("name",)) == 2
    assert lined.line(("list", 0, "two")) == 6
    assert lined.line(("list", 1, "three")) == 7
    assert lined.line(("list", 0, "two", "deeper", 3)) == 6
    assert lined.line(("nowhere",)) == 2


def test_words_stay_words() -> None:
    text = "a: on\nb: 22:00\nc: yes\nd: 010\ne: .inf\nf: 1e3\ng: true\nh:\ni: '80'\nj: 2026-01-01\nk: =\n"
    found = read_lines(text).value
    assert found == {
        "a": "on", "b": "22:00", "c": "yes", "d": 10, "e": ".inf", "f": 1000.0, "g": True, "h": None,
        "i": "80", "j": "2026-01-01", "k": "=",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("", 1, "the text is empty"),
        ("a: 1\nb: [1, 2\n", 3, "this is no YAML"),
        ("a: 1\na: 2\n", 2, "a stands here twice"),
        (
            "a: 1\nb: !!python/object/apply:os.system [echo]\n",
            2,
            "python/object/apply:os.system is not taken here",
        ),
        ("a: 1\nb: !thing 3\n", 2, "!thing is not taken here"),
        ("a: &x 1\nb: 2\nc: *x\n", 3, "*x is not taken here"),
        (BILLION_LAUGHS, 2, "*a is not taken here"),
        ("a: 1\n? [x, y]\n: 2\n", 2, "a name has to stand before the colon"),
        ("a: 1\nb: " + "[" * 20 + "]" * 20, 2, "this is nested too deeply"),
        ("a: 1\n---\nb: 2\n", 2, "this is no YAML"),
        ("a: 1\nb: \x07\n", 2, "there is a character that is no text"),
        ("a: 1\nb: " + "9" * 41, 2, "this number is too long"),
        ("x" * (LONGEST + 1), 1, "the text is longer than"),
    ],
)
def test_what_no_scorecard_needs_is_refused_with_its_line(text: str, line: int, said: str) -> None:
    at, why = refused(text)
    assert (at, why.startswith(said)) == (line, True), why


@settings(deadline=None)
@given(
    st.text(st.characters(codec="utf-8"), max_size=300)
    | st.text("[]{}:-?!&*<>|'\"%@`#, \n\tab1.", max_size=80)
)
def test_any_text_is_read_or_refused_with_a_line_of_it(text: str) -> None:
    try:
        read_lines(text)
    except FaultsError as error:
        for fault in error.faults:
            assert 1 <= fault.line <= len(text.splitlines()) + 1
            assert "\n" not in str(fault)
