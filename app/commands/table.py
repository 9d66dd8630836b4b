"""An analysis as people read it on a terminal."""

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from app.habits.suggestion import Analysis, Suggestion
from app.model import Home

_WIDTH_ELSEWHERE = 110


def output() -> Console:
    """Return where tables are printed: as wide as the terminal, elsewhere wide enough to be read."""
    console = Console()
    return console if console.is_terminal else Console(width=_WIDTH_ELSEWHERE)


def print_analysis(analysis: Analysis, home: Home) -> None:
    """Print the suggestions, what was set aside (where asked for), and how it was done."""
    console = output()
    facts = analysis.analysed
    if home.demo:
        console.print("[bold]This is an invented demo home.[/bold] Nothing below happened anywhere.\n")
    if analysis.suggestions:
        console.print(suggestion_table(analysis.suggestions))
    else:
        console.print("Nothing to suggest: no habit stood up to its own past. That is normal for many homes.")
    for note in facts.notes:
        console.print(f"• {escape(note)}")
    if analysis.set_aside:
        console.print(aside_table((one.habit, one.why) for one in analysis.set_aside))
    console.print(
        f"{facts.events:,} state changes of {facts.entities} entities over {facts.days} days: "
        f"{analysis.patterns_detected} habits, {len(analysis.suggestions)} suggestions, "
        f"{facts.seconds:.1f} s, {facts.peak_mib:.0f} MiB at most."
    )


def aside_table(habits: Iterable[tuple[str, str]]) -> Table:
    """Return what was looked at and not offered, each habit with the reason."""
    table = Table("Set aside", "Why", title="What was looked at and not offered", title_justify="left")
    for habit, why in habits:
        table.add_row(escape(habit), escape(why))
    return table


def suggestion_table(suggestions: Sequence[Suggestion]) -> Table:
    """Return what is on offer, with its evidence, as a table."""
    table = Table(
        "Suggestion",
        "Kept",
        "Held-out days: wanted / unwanted / missed",
        title="On offer",
        title_justify="left",
    )
    for one in suggestions:
        seen, replay = one.evidence, one.evidence.replay
        table.add_row(
            f"[bold]{escape(one.title)}[/bold]\n{escape(one.description)}",
            f"{seen.days_kept} of {seen.days_observed} days",
            f"{replay.wanted} / {replay.unwanted} / {replay.missed}",
            end_section=True,
        )
    return table
