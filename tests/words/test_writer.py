"""The writer: a model's words only when they hold, the template whenever they do not."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.bus import Bus
from app.clock import TurnedClock
from app.errors import NeighbourError, RefusedError
from app.neighbours import Neighbours, NeighbourState
from app.words.checking import checked, read_text
from app.words.models import HomeAssistantModel, model_of
from app.words.writer import Words, Writer
from tests.words.options import options

TEMPLATE = Words(
    "Turn on Hall lamp at 22:30", "On 24 of 26 evenings you did this yourself; replayed: 22 wanted, 2 not."
)
FACTS = {"entity": "Hall lamp", "entity_id": "light.hall", "time": "22:30", "kept": 24, "days": 26}
GOOD = {"title": "Hall lamp on at 22:30", "description": "You did this by hand on 24 of 26 evenings."}
SOURCE = json.dumps(FACTS)


class _Hub:
    """Stands where the hub's action would be answered; the real hub is met in the end-to-end tests."""

    def __init__(self, answer: Callable[[], Any]) -> None:
        self.answer = answer
        self.asked: list[tuple[str, str, dict[str, Any]]] = []

    async def call(self, domain: str, service: str, data: dict[str, Any]) -> dict[str, Any]:
        self.asked.append((domain, service, data))
        return {"conversation_id": "c", "data": self.answer()}


def _writer(hub: _Hub, requests: int = 20) -> tuple[Writer, Neighbours, TurnedClock]:
    clock = TurnedClock(datetime(2026, 3, 1, 3, tzinfo=UTC))
    neighbours = Neighbours(Bus(), clock)
    return (
        Writer(HomeAssistantModel(hub.call, "ai_task.own", 1), neighbours, clock, requests),
        neighbours,
        clock,
    )


def _raises(error: Exception) -> Callable[[], Any]:
    def answer() -> Any:
        raise error

    return answer


async def test_without_a_model_the_template_is_the_words() -> None:
    clock = TurnedClock(datetime(2026, 3, 1, tzinfo=UTC))
    neighbours = Neighbours(Bus(), clock)
    writer = Writer(None, neighbours, clock)
    assert await writer.word(TEMPLATE, FACTS) is TEMPLATE
    await writer.check()
    await writer.close()
    assert neighbours.get("model").state is NeighbourState.OFF


async def test_the_hubs_own_model_words_a_suggestion() -> None:
    hub = _Hub(lambda: GOOD)
    writer, neighbours, _ = _writer(hub)
    words = await writer.word(TEMPLATE, FACTS, "nl")
    assert words == Words(GOOD["title"], GOOD["description"], by_model=True)
    assert neighbours.get("model").state is NeighbourState.OK
    domain, service, data = hub.asked[0]
    assert (domain, service, data["entity_id"]) == ("ai_task", "generate_data", "ai_task.own")
    assert data["structure"]["title"]["selector"] == {"text": {}}
    assert 'the code "nl"' in data["instructions"]
    assert "light.hall" in data["instructions"]


async def test_the_hubs_preferred_model_is_asked_when_none_is_named() -> None:
    hub = _Hub(lambda: json.dumps(GOOD))
    model = HomeAssistantModel(hub.call, "", 1)
    assert await model.answer("words", "{}") == GOOD
    assert "entity_id" not in hub.asked[0][2]


async def test_a_night_has_a_budget_and_the_next_one_a_new_one() -> None:
    hub = _Hub(lambda: GOOD)
    writer, _, clock = _writer(hub, requests=2)
    said = [(await writer.word(TEMPLATE, FACTS)).by_model for _ in range(4)]
    assert said == [True, True, False, False]
    assert len(hub.asked) == 2
    await clock.turn(timedelta(hours=23))
    assert (await writer.word(TEMPLATE, FACTS)).by_model


async def test_a_budget_of_nothing_asks_nothing() -> None:
    hub = _Hub(lambda: GOOD)
    writer, _, _ = _writer(hub, requests=0)
    assert await writer.word(TEMPLATE, FACTS) == TEMPLATE
    assert hub.asked == []


async def test_after_three_failures_in_a_row_the_model_is_left_alone_for_the_night() -> None:
    hub = _Hub(lambda: {"title": "x"})
    writer, neighbours, clock = _writer(hub)
    for _ in range(6):
        assert await writer.word(TEMPLATE, FACTS) == TEMPLATE
    assert len(hub.asked) == 3
    assert neighbours.get("model").state is NeighbourState.FAILED
    assert "description" in neighbours.get("model").message
    hub.answer = lambda: GOOD
    await clock.turn(timedelta(hours=24))
    assert (await writer.word(TEMPLATE, FACTS)).by_model
    assert neighbours.get("model").state is NeighbourState.OK


async def test_failures_that_are_not_in_a_row_do_not_stop_it() -> None:
    answers = iter([{}, {}, GOOD, {}, {}, GOOD])
    hub = _Hub(lambda: next(answers))
    writer, _, _ = _writer(hub)
    said = [(await writer.word(TEMPLATE, FACTS)).by_model for _ in range(6)]
    assert said == [False, False, True, False, False, True]


async def test_a_refusal_stops_it_at_once() -> None:
    hub = _Hub(_raises(RefusedError("no entity_id provided")))
    writer, neighbours, _ = _writer(hub)
    for _ in range(3):
        assert await writer.word(TEMPLATE, FACTS) == TEMPLATE
    assert len(hub.asked) == 1
    assert "model_entity_id" in neighbours.get("model").message
    with pytest.raises(RefusedError, match="model_entity_id"):
        await writer.check()


async def test_a_fault_in_the_adapter_costs_words_and_not_the_night(caplog: pytest.LogCaptureFixture) -> None:
    writer, neighbours, _ = _writer(_Hub(_raises(KeyError("response"))))
    assert await writer.word(TEMPLATE, FACTS) == TEMPLATE
    assert neighbours.get("model").state is NeighbourState.FAILED
    assert "adapter failed" in caplog.text


async def test_facts_too_long_for_a_prompt_are_left_to_the_template() -> None:
    hub = _Hub(lambda: GOOD)
    writer, _, _ = _writer(hub)
    assert await writer.word(TEMPLATE, {"names": "x" * 9000}) == TEMPLATE
    assert hub.asked == []


async def test_a_check_tells_a_model_that_answers_but_cannot_do_it() -> None:
    writer, _, _ = _writer(_Hub(lambda: {"title": "Lamp at 09:99", "description": "You did this."}))
    with pytest.raises(NeighbourError, match="more capable"):
        await writer.check()


def test_the_key_of_facts_changes_with_what_matters_and_with_nothing_else() -> None:
    writer, _, clock = _writer(_Hub(lambda: GOOD))
    key = writer.facts_key(TEMPLATE, FACTS)
    assert key == writer.facts_key(TEMPLATE, dict(reversed(FACTS.items())))
    assert len(key) == 32
    silent = Writer(None, Neighbours(Bus(), clock), clock)
    assert len({
        key, writer.facts_key(TEMPLATE, {**FACTS, "kept": 25}), writer.facts_key(TEMPLATE, FACTS, "nl"),
        silent.facts_key(TEMPLATE, FACTS),
    }) == 4  # fmt: skip


@pytest.mark.parametrize(
    ("title", "description"),
    [
        ("Hall lamp on at 22:30", "24 of 26 evenings, by hand."),
        ("Hall lamp, 22:30", "You do this nearly every evening; twenty-two times it was wanted."),
        ("  Hall lamp at 22:30 ", "Kept on 24 evenings, e.g. weekdays."),
        ("Lampe Hall lamp um 22:30", "An 24 von 26 Abenden selbst gemacht. Fast täglich."),
    ],
)
def test_words_that_only_say_what_was_given_are_used(title: str, description: str) -> None:
    words = checked({"title": title, "description": description}, TEMPLATE, SOURCE)
    assert words == Words(title.strip(), description, by_model=True)


@pytest.mark.parametrize(
    ("title", "description", "why"),
    [
        ("Hall lamp at 22:45", "You did this on 24 evenings.", "number"),
        ("Hall lamp at 22:30", "You did this on 25 evenings.", "number"),
        ("Hall lamp at 22:30", "It saves fifty euro, you did it.", "number"),
        ("Hall lamp at 22:30", "You did this on twenty-three evenings.", "number"),
        ("Hall lamp at 22:30", "You did this ½ of the evenings.", "number"),
        ("Hall lamp at 22:30", "You did this on \uff12\uff15 evenings.", "number"),
        ("Hall lamp at 22:30", "You did this, see https://example.org", "link"),
        ("Hall lamp at 22:30", "You did this, see www.example", "link"),
        ("Hall lamp at 22:30", "You did this, see example.org", "dot"),
        ("Hall lamp at 22:30", "You did this with lock.front_door", "dot"),
        ("Hall lamp <b>on</b>", "You did this.", "markup"),
        ("Hall lamp on", "You did **this**.", "markup"),
        ("Hall lamp on", "You did {{ this }}.", "markup"),
        ("Hall lamp on", "You did this\nevery evening.", "line"),
        ("Hall lamp on", "You did this \u202eevery evening.", "control"),
        ("Hall lamp on", "You did this \u200bevery evening.", "control"),
        ("Your house is hacked", "Call the helpdesk now.", "something else"),
        ("x" * 81, "You did this.", "title"),
        ("Hall lamp", "You did this. " * 40, "description"),
        ("", "You did this.", "title"),
    ],
)
def test_words_that_add_anything_are_refused(title: str, description: str, why: str) -> None:
    with pytest.raises(NeighbourError, match=why) as caught:
        checked({"title": title, "description": description}, TEMPLATE, SOURCE)
    assert "example.org" not in str(caught.value)


@pytest.mark.parametrize(
    "answer",
    [None, [], "text", 7, {}, {"title": 1, "description": "x"}, {**GOOD, "automation": {"trigger": []}}],
)
def test_an_answer_of_another_shape_is_refused(answer: Any) -> None:
    with pytest.raises(NeighbourError, match="does not fit"):
        checked(answer, TEMPLATE, SOURCE)


def test_a_sign_in_a_name_may_be_repeated() -> None:
    template = Words("Turn on Lamp #2", "You did this.")
    assert checked({"title": "Lamp #2 on", "description": "You did this."}, template, "{}").by_model


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1}',
        '```json\n{"a": 1}\n```',
        '<think>{"no": 2}</think>\n{"a": 1}',
        'Here it is: {"a": 1} Enjoy!',
    ],
)
def test_json_is_found_in_what_a_model_wraps_around_it(text: str) -> None:
    assert read_text(text) == {"a": 1}


@pytest.mark.parametrize("text", ["", "sorry", "{", "}{", '{"a": }'])
def test_an_answer_without_json_is_refused(text: str) -> None:
    with pytest.raises(NeighbourError, match="not the JSON"):
        read_text(text)


def test_the_options_choose_the_model() -> None:
    hub = _Hub(lambda: GOOD)
    assert model_of(options(), hub.call) is None
    own = model_of(options(model_provider="home_assistant", model_entity_id="ai_task.own"), hub.call)
    assert own is not None
    assert own.label == "home_assistant ai_task.own"
