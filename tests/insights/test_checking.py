"""A wrong scorecard is refused with the line that is wrong and what to write there."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.insights.checking import read_scorecard
from app.insights.lines import Fault, FaultsError
from app.insights.shipped import NAMES, shipped_texts

GOOD = """\
name: office
title: The office
categories:
  - key: air
    title: Air
    weight: 60
    metrics:
      - key: co2
        title: CO2
        entity: sensor.co2
        unit: ppm
        bands:
          - {at_most: 800, score: 100}
          - {at_most: 1400, score: 60, label: stale, priority: high}
          - {score: 20}
        recommend:
          title: Air the office
          message: CO2 is at {value} {unit}.
      - key: noise
        title: Noise
        template: "{{ states('sensor.noise') }}"
  - key: power
    title: Power
    weight: 40
    metrics:
      - key: yesterday
        title: Yesterday
        statistic: sensor.energy
        take: change
        days: 1
        bands:
          - {below: 10, score: 100}
          - {score: 50}
"""
FIGURES = ("batteries_low", "energy_ratio")


def faults(text: str) -> list[str]:
    with pytest.raises(FaultsError) as refusal:
        read_scorecard(text, FIGURES)
    assert str(refusal.value).startswith(str(refusal.value.faults[0]))
    return [str(one) for one in refusal.value.faults]


def changed(old: str, new: str) -> list[str]:
    assert old in GOOD
    return faults(GOOD.replace(old, new, 1))


def test_a_right_one_is_read() -> None:
    card = read_scorecard(GOOD, FIGURES)
    assert [one.key for one in card.categories] == ["air", "power"]
    assert [metric.key for _, metric in card.metrics()] == ["co2", "noise", "yesterday"]


@pytest.mark.parametrize("name", NAMES)
def test_the_shipped_ones_are_right_and_have_their_names(name: str) -> None:
    card = read_scorecard(shipped_texts()[name])
    assert card.name == name


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("title: The office\n", "", 1, "title is missing: write title: and a short text"),
        (
            "title: CO2",
            "titel: CO2",
            9,
            "air, co2, titel: it is not known here: take it out, or write one of key,",
        ),
        (
            "score: 60",
            "score: sixty",
            14,
            'air, co2, bands, 2, score: "sixty" cannot be taken: write a whole number from 0',
        ),
        (
            "score: 60",
            "score: 101",
            14,
            "air, co2, bands, 2, score: 101 cannot be taken: write a whole number",
        ),
        ("score: 60", "score: 59.5", 14, "air, co2, bands, 2, score: 59.5 cannot be taken"),
        ("score: 60", 'score: "60"', 14, 'air, co2, bands, 2, score: "60" cannot be taken'),
        ("at_most: 800", "at_most: .nan", 13, 'bands, 1, at_most: ".nan" cannot be taken: write a number'),
        (
            "priority: high",
            "priority: urgent",
            14,
            'priority: "urgent" cannot be taken: write critical, high',
        ),
        (
            "weight: 60",
            "weight: 50",
            3,
            "categories: the weights of the categories add up to 90: change them",
        ),
        ("weight: 60", "weight: -1", 6, "air, weight: -1 cannot be taken: write a number above 0"),
        ("key: power", "key: air", 22, "air, key: air is there already: write another key"),
        ("key: noise", "key: co2", 19, "air, co2, key: co2 is there already: write another key"),
        ("key: noise", "key: 5", 19, "air, 2, key: 5 cannot be taken: write lower case letters"),
        (
            "entity: sensor.co2",
            "entity: CO2",
            10,
            'air, co2, entity: "CO2" cannot be taken: write an entity id',
        ),
        (
            "entity: sensor.co2\n",
            "\n",
            8,
            "air, co2: it has no source: write exactly one of entity, statistic",
        ),
        ("unit: ppm", "figure: batteries_low", 8, "air, co2: it has entity and figure: write exactly one of"),
        (
            "entity: sensor.co2",
            "figure: batteries",
            10,
            "air, co2, figure: there is no figure batteries: write one",
        ),
        ("take: change", "attribute: x", 29, "power, yesterday, attribute: only an entity has attributes"),
        ("take: change\n", "\n", 26, "power, yesterday: take is missing: write take: and mean, min, max"),
        (
            "take: change",
            "take: sum",
            29,
            'power, yesterday, take: "sum" cannot be taken: write mean, min, max',
        ),
        ("days: 1", "days: 32", 30, "power, yesterday, days: 32 cannot be taken: write a whole number"),
        ("unit: ppm", "days: 2", 11, "air, co2, days: days belongs to a statistic: write statistic: as well"),
        ("- {score: 20}", "- {at_most: 2000, score: 20}", 15, "bands, 3: the last band takes what is left"),
        ("{at_most: 800, s", "{s", 13, "bands, 1: it takes everything, and those below it nothing"),
        ("at_most: 1400", "at_most: 700", 14, "air, co2, bands, 2: no value ever falls into it"),
        ("at_most: 1400", "at_least: 900, below: 850", 14, "bands, 2: no value ever falls into it"),
        ("at_most: 1400", "above: 800", 15, "air, co2, bands, 3: no value is left for it"),
        ("at_most: 1400", "at_most: 1400, below: 9", 14, "bands, 2: it has below and at_most: write one"),
        ("at_most: 1400", "above: 1, at_least: 9", 14, "bands, 2: it has above and at_least: write one"),
        ("{value} {unit}", "{value} {colour}", 18, "recommend, message: {colour} is not known: write one of"),
        (
            "template:",
            "weight: 20\n        template:",
            21,
            "air, noise, weight: without bands it is not scored",
        ),
        ("unit: ppm", "unit: 5", 11, "air, co2, unit: 5 cannot be taken: write a text of at most 20"),
        ("recommend:\n", "recommend: x\n", 17, "this is no YAML"),
        ("- key: air", "- air", 5, "this is no YAML"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(old: str, new: str, line: int, said: str) -> None:
    found = changed(old, new)
    assert any(one.startswith(f"line {line}: ") and said in one for one in found), found


def test_all_faults_are_told_the_first_line_first() -> None:
    found = faults(GOOD.replace("weight: 60", "weight: x").replace("score: 60", "score: y"))
    assert [one.partition(":")[0] for one in found] == ["line 6", "line 14"]


def test_an_only_item_that_is_wrong_does_not_make_its_list_too_short() -> None:
    only = GOOD.replace("take: change", "take: sum")
    assert [one.partition(":")[0] for one in faults(only)] == ["line 29"]
    (empty,) = faults("name: a\ntitle: A\ncategories: []\n")
    assert empty.startswith("line 3: categories: this cannot be taken: write a list of 1 to 12 categories")


def test_metrics_have_a_weight_all_or_none_and_make_a_hundred() -> None:
    two = GOOD.replace(
        "        template: \"{{ states('sensor.noise') }}\"\n",
        '        weight: 30\n        template: "x"\n        bands:\n'
        "          - {below: 1, score: 9}\n          - {score: 1}\n",
    )
    assert any("some metrics have a weight and some have none" in one for one in faults(two))
    both = two.replace("unit: ppm", "weight: 60")
    assert any("line 7: air, metrics: the weights of the metrics add up to 90" in one for one in faults(both))
    read_scorecard(both.replace("weight: 60\n        bands", "weight: 70\n        bands"), FIGURES)


def test_a_category_in_which_nothing_is_scored_is_refused() -> None:
    bare = GOOD[: GOOD.index("        bands:")] + GOOD[GOOD.index("      - key: noise") :]
    assert any("line 7: air, metrics: none of them is scored" in one for one in faults(bare))


@pytest.mark.parametrize("text", ["- a\n- b\n", "just words", "5", "name: office"])
def test_what_is_no_scorecard_at_all_is_refused_too(text: str) -> None:
    assert faults(text)[0].startswith("line 1: ")


def test_weights_are_counted_as_they_are_written() -> None:
    thirds = GOOD.replace("weight: 60", "weight: 66.7").replace("weight: 40", "weight: 33.3")
    read_scorecard(thirds, FIGURES)


@settings(deadline=None)
@given(st.data())
def test_however_a_scorecard_is_spoiled_it_is_read_or_refused_with_a_line(data: st.DataObject) -> None:
    text = data.draw(st.sampled_from([GOOD, *shipped_texts().values()]))
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 40)))
    with_what = data.draw(st.text("abz019:-{}[],.'\"\n #&*!|>", max_size=8))
    spoiled = text[:start] + with_what + text[end:]
    try:
        read_scorecard(spoiled)
        found: tuple[Fault, ...] = ()
    except FaultsError as error:
        found = error.faults
    assert all(1 <= one.line <= spoiled.count("\n") + 2 and one.said for one in found)
