"""The faces that listen to the bus: MQTT, letters, the phone, the hub's side bar."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack

import aiohttp

from app.alerts.telling import TellingRules
from app.announce.alert_answers import AlertAnswers
from app.announce.alert_telling import AlertTelling
from app.announce.announcer import Announcer
from app.announce.decisions import Commander
from app.announce.discovery import DeviceFacts
from app.announce.letters import Letters
from app.announce.morning import MorningSources
from app.announce.phone import PhoneAnswers
from app.announce.phones import Phones
from app.bus import Bus
from app.composition.morning import Morning
from app.composition.outside import Outside
from app.composition.setting import Setting
from app.declared import HOME_ID
from app.errors import NeighbourError
from app.habits.offers.offers import Offers
from app.hub.supervisor import Supervisor
from app.jobs.runner import Jobs
from app.mail.sender import Mailer
from app.model import Home
from app.neighbours import Neighbours
from app.options import MqttMode
from app.reach import finder_of, supervisor_token

_log = logging.getLogger(__name__)


class OwnPage:
    """Where the page is in the hub (`/app/…`), as far as the Supervisor has said."""

    def __init__(self) -> None:
        self._path = ""

    def __call__(self) -> str:
        return self._path

    async def find(self, setting: Setting, http: aiohttp.ClientSession) -> DeviceFacts:
        """Ask, and return how the device presents itself; under the Supervisor it leads to our page."""
        if setting.invented:
            return DeviceFacts(name="Nightshift demo")
        token = supervisor_token()
        if token is None:
            return DeviceFacts()
        try:
            slug = (await Supervisor(token, http).info()).slug
        except NeighbourError as error:
            _log.info("The device will have no link to this page: %s", error)
            return DeviceFacts()
        self._path = f"/app/{slug}"
        return DeviceFacts(url=f"homeassistant://app/{slug}")


async def start_mqtt(
    setting: Setting,
    closing: AsyncExitStack,
    *,
    http: aiohttp.ClientSession,
    facts: DeviceFacts,
    neighbours: Neighbours,
    bus: Bus,
    jobs: Jobs,
    offers: Offers,
    titles: Callable[[], Awaitable[Sequence[str]]],
    morning: Morning,
) -> None:
    """Start the device in Home Assistant and its commands."""
    options = setting.options
    announcer = Announcer(
        options,
        neighbours,
        bus,
        setting.clock,
        jobs,
        jobs.ledger,
        titles,
        setting.find_broker or finder_of(options, http),
        # A demo must not pass itself off as the home's own Nightshift on a broker that both use.
        instance="nightshift_demo" if setting.invented else "nightshift",
        facts=facts,
        commander=Commander(offers if options.mqtt_decisions else None, HOME_ID),
        morning=MorningSources(
            home_id=HOME_ID,
            home=morning.home,
            insights=morning.insights,
            scorecards=morning.scorecards,
            alerts=morning.alerts,
            reports=morning.reports,
            stats=morning.stats,
        ),
        keep_looking=supervisor_token() is not None and options.mqtt is MqttMode.AUTO,
    )
    await announcer.start()
    closing.push_async_callback(announcer.stop)


def start_letters(mailer: Mailer | None, closing: AsyncExitStack, *, bus: Bus, jobs: Jobs) -> None:
    """Start writing letters, if mail is set up."""
    if mailer is None:
        return
    letters = Letters(mailer, bus, {name: spec.title for name, spec in jobs.specs.items()})
    letters.start()
    closing.push_async_callback(letters.stop)


def start_answering(
    outside: Outside,
    closing: AsyncExitStack,
    *,
    bus: Bus,
    offers: Offers,
    home: Callable[[], Home | None],
    page: OwnPage,
) -> None:
    """Hear what people tap on their phones, if there is a hub."""
    if outside.hub is None or outside.phones is None:
        return
    answers = PhoneAnswers(outside.hub, outside.phones, offers, bus=bus, home=home, page=page)
    closing.push_async_callback(answers.stop)
    answers.start()


def start_alerting(
    setting: Setting,
    outside: Outside,
    closing: AsyncExitStack,
    *,
    bus: Bus,
    morning: Morning,
    page: OwnPage,
) -> None:
    """Notify people of alerts and of urgent recommendations, and hear who takes care, if there is a hub."""
    if outside.hub is None or outside.side_bar is None:
        return
    options, clock = setting.options, setting.clock
    phones, rules = Phones(outside.hub, options.alert_phones), TellingRules.of(options)
    telling = AlertTelling(
        bus=bus,
        clock=clock,
        phones=phones,
        side_bar=outside.side_bar,
        standing=outside.now.notifications,
        lasting=lambda: morning.alerts.open(HOME_ID),
        home=morning.home,
        quiet=lambda: rules.is_quiet(clock.now().astimezone(morning.zone())),
        page=page,
    )
    closing.push_async_callback(telling.stop)
    telling.start()
    if setting.scheduling:
        answers = AlertAnswers(
            outside.hub, phones, morning.alerts, home_id=HOME_ID, home=morning.home, page=page
        )
        closing.push_async_callback(answers.stop)
        answers.start()
