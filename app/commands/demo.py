"""`demo`: let a night run over an invented home, print what it found, and serve its page.

Everything lives in a folder of its own that goes away at the end; no hub is touched.
"""

import argparse
import asyncio
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path

from rich.console import Console

from app.alerts.job import ALERT_DETECTOR
from app.announce.broker import Broker, BrokerFinder, broker_finder
from app.announce.demo_broker import DemoBroker
from app.clock import SystemClock
from app.commands.demo_past import DemoPast
from app.commands.logs import begin_logging
from app.commands.run import run_now, sentence
from app.commands.serve import port_from_environment
from app.commands.signals import stop_event
from app.commands.table import suggestion_table
from app.declared import MORNING
from app.habits.nightly import ANALYSIS
from app.hub.invented import InventedSource
from app.hub.invented.now import InventedNow
from app.hub.now import HomeNow
from app.insights.enough import why_not_enough
from app.jobs.run import Run, RunStatus
from app.options import MqttMode, Options, load_options
from app.runtime import HOME_ID, Doorway, Invented, Runtime, Setting, running
from app.system import settle_memory


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seed", type=int, default=7, help="another number, another home (default 7)")
    parser.add_argument("--days", type=int, default=30, choices=range(14, 121), metavar="14…120")
    parser.add_argument("--once", action="store_true", help="print what was found and leave; no page")


def start(arguments: argparse.Namespace) -> int:
    with tempfile.TemporaryDirectory(prefix="nightshift-demo-") as name:
        folder = Path(name)
        # The night looks back as far as the home was invented, whatever the option says.
        options = load_options(folder).model_copy(update={"history_days": arguments.days})
        begin_logging("warning")
        doorway = None if arguments.once else Doorway(port=port_from_environment())
        return asyncio.run(_demo(arguments, options, folder, doorway))


async def _demo(
    arguments: argparse.Namespace, options: Options, folder: Path, doorway: Doorway | None
) -> int:
    console = Console()
    console.print("[bold]Demo:[/bold] an invented home. Nothing here happened anywhere; no hub is touched.")
    asked = stop_event()
    clock = SystemClock()
    source = InventedSource(clock, arguments.seed, arguments.days)
    now = InventedNow(clock, source)
    async with AsyncExitStack() as closing:
        find_broker = await _broker(options, closing, console)
        setting = Setting(
            options=options,
            folder=folder,
            clock=clock,
            doorway=doorway,
            invented=Invented(source, now),
            find_broker=find_broker,
        )
        runtime = await closing.enter_async_context(running(setting))
        settle_memory()
        run = await run_now(runtime, ANALYSIS, asked)
        await _show(runtime, run, console)
        if run.status is RunStatus.COMPLETED and not asked.is_set():
            await _morning(runtime, now, asked, console)
        if doorway is None or asked.is_set():
            return 0 if run.status is RunStatus.COMPLETED else 1
        console.print(f"\nIts page: [bold]http://127.0.0.1:{doorway.port}[/bold]   (Ctrl-C ends the demo)")
        await asked.wait()
    return 0


async def _morning(runtime: Runtime, now: HomeNow, asked: asyncio.Event, console: Console) -> None:
    """Let it be morning at once: what else the home is told comes at six, and every five minutes."""
    past = DemoPast(
        store=runtime.store,
        clock=runtime.clock,
        home=runtime.household.home,
        now=now,
        scorecards=runtime.morning.scorecards,
        insights=runtime.morning.insights,
    )
    for job in MORNING:
        if job == ALERT_DETECTOR:  # the figures are there by now, and nothing was told yet
            await past.invent(HOME_ID)
        ended = await run_now(runtime, job, asked)
        if ended.status not in {RunStatus.COMPLETED, RunStatus.PARTIAL}:
            console.print(sentence(ended), markup=False, highlight=False)
    insight = await runtime.morning.insights.latest(HOME_ID)
    if insight is not None:
        open_alerts = len(await runtime.morning.alerts.open(HOME_ID))
        told = f"{open_alerts} alert{'s' if open_alerts != 1 else ''}"
        score = f"{insight.known_score} of 100" if insight.sufficient else why_not_enough(insight)
        console.print(f"\nIts health score this morning: {score.rstrip('.')}; {told}.")


async def _broker(options: Options, closing: AsyncExitStack, console: Console) -> BrokerFinder:
    """Return the broker that is set up, or start one of our own."""
    if options.mqtt_host or options.mqtt is MqttMode.OFF:
        return broker_finder(options)
    demo = DemoBroker()
    broker = await demo.start()
    closing.push_async_callback(demo.stop)
    console.print(f"An MQTT broker of its own listens at {broker}.")

    async def find() -> Broker:
        return broker

    return find


async def _show(runtime: Runtime, run: Run, console: Console) -> None:
    offered = [one.suggestion for one in await runtime.suggestions.offered(HOME_ID)]
    if offered:
        console.print(suggestion_table(offered))
    console.print(sentence(run), markup=False, highlight=False)
