"""Whatever is read or missing: no figure's name, no key and no id reaches who writes no scorecards."""

import asyncio
import json
import re
from datetime import UTC, datetime
from typing import Any, Final

from hypothesis import given, settings
from hypothesis import strategies as st

from app.announce.morning_state import MorningStanding, Scored, morning_message, plan_of
from app.insights.enough import lacking, why_not_enough
from app.insights.insight import Insight
from app.insights.scorecard import Scorecard
from app.insights.trend import Direction, Trend
from app.web.score_view import view_of_score
from tests.insights.small import ALL_WELL, AMSTERDAM, SmallFigures, SmallHome, assessor, shipped

NOW: Final = datetime(2026, 3, 10, 5, tzinfo=UTC)
TECHNICAL: Final = re.compile(r"\b\w+_\w+\b|\b(?:sensor|binary_sensor)\.\w+")
VALUES = st.none() | st.floats(0, 130)


def assessed(card: Scorecard, figures: dict[str, float | None], home: SmallHome) -> Insight:
    return asyncio.run(assessor(home, SmallFigures(figures)).assess("home", AMSTERDAM, card))


def words_of(insight: Insight) -> str:
    """Return everything people read of an insight: recommendations, parts, what is missing, MQTT."""
    said = [why_not_enough(insight), *(one.line for one in lacking(insight))]
    for one in insight.recommendations:
        said += [one.title, one.message, one.rests_on, one.would_change]
    for part in insight.health_breakdown:
        for metric in part.metrics:
            said += [metric.title, metric.band, metric.missing, metric.to_do, metric.read_from, metric.unit]
    going = Trend(Direction.UNKNOWN, 0)
    view = view_of_score(insight, going, None, NOW, AMSTERDAM)
    said += [view.title, view.word, view.trend, view.before, view.basis, view.stale]
    standing = MorningStanding([Scored(insight, going, None)], [], None, [], None)
    details: dict[str, Any] = json.loads(morning_message(standing, plan_of(standing)))["scores"]["home"]
    said += [details["details"]["reason"], *details["details"]["missing"], *details["details"]["breakdown"]]
    return "\n".join([*said, *details["details"]["recommendations"]])


@settings(deadline=None, max_examples=60)
@given(st.fixed_dictionaries(dict.fromkeys(ALL_WELL, VALUES)))
def test_of_the_home_people_read_plain_words(figures: dict[str, float | None]) -> None:
    insight = assessed(shipped("home"), figures, SmallHome())
    assert not TECHNICAL.findall(words_of(insight))
    assert {one.source for part in insight.health_breakdown for one in part.metrics} == ALL_WELL.keys()


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_of_entities_people_read_the_names_they_gave_them(data: st.DataObject) -> None:
    card, home = shipped("business").model_copy(update={"name": "home"}), SmallHome()
    for _, metric in card.metrics():
        state = data.draw(st.sampled_from(["unavailable", "unknown", "open", "12", "-3"]))
        name = data.draw(st.sampled_from([None, f"Our {metric.title.lower()}"]))
        named = {} if name is None else {"friendly_name": name}
        home.put(metric.entity or "", state, unit_of_measurement=metric.unit, **named)
    assert not TECHNICAL.findall(words_of(assessed(card, {}, home)))
