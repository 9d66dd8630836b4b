"""Whether enough was read for a score, and what is said where it was not: pure."""

from dataclasses import dataclass
from fractions import Fraction

from app.insights.insight import ENOUGH, CategoryScore, Insight, MetricScore
from app.insights.naming import inside
from app.insights.numbers import half_up

NOT_ENOUGH = "Not enough is known yet"
"""What stands where the score would."""


@dataclass(frozen=True, slots=True)
class Lack:
    """Readings that are missing for the same reason: their titles, why, what to do. Texts may be hostile."""

    titles: tuple[str, ...]
    why: str
    to_do: str

    @property
    def named(self) -> str:
        """The titles as one."""
        return ", ".join([*self.titles[:1], *map(inside, self.titles[1:])])

    @property
    def line(self) -> str:
        """All of it in a line."""
        return f"{self.named}: {self.why} {self.to_do}".strip()


def why_not_enough(insight: Insight) -> str:
    """Return in a sentence why there is no score; "" where there is one."""
    if insight.sufficient:
        return ""
    takes = f"a score takes at least {percent(ENOUGH)}"
    if insight.health_score is None:
        return f"Nothing of what it is made of could be read; {takes}."
    return f"Only {percent(insight.confidence)} of what it is made of could be read; {takes}."


def lacking(insight: Insight) -> list[Lack]:
    """Return what is missing of what counts, what weighs most first."""
    missing = sorted(
        ((part.weight * one.weight, one) for part, one in _counting(insight) if one.value is None),
        key=lambda weighed: -weighed[0],
    )
    titles: dict[tuple[str, str], list[str]] = {}
    for _, one in missing:
        titles.setdefault((one.missing, one.to_do), []).append(one.title)
    return [Lack(tuple(found), why, to_do) for (why, to_do), found in titles.items()]


def percent(share: float) -> str:
    """Return a share of the weight; what is less than enough is never rounded up to it."""
    rounded = half_up(Fraction(str(round(share * 100, 6))))
    if share < ENOUGH:
        rounded = min(rounded, half_up(Fraction(str(ENOUGH)) * 100) - 1)
    return f"{rounded} %"


def _counting(insight: Insight) -> list[tuple[CategoryScore, MetricScore]]:
    return [(part, one) for part in insight.health_breakdown for one in part.metrics if one.weight > 0]
