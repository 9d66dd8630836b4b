"""What the habits capability announces on the bus."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SuggestionsChanged:
    """A night ended with these suggestions on offer. All texts are titles; `offered` counts `titles`.

    `created_ids` are those of `created`, the surest first.
    """

    home_id: str
    run_id: str
    offered: int
    titles: tuple[str, ...]
    created: tuple[str, ...]
    faded: tuple[str, ...]
    created_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SuggestionDecided:
    """What stands decided on a suggestion changed; the store has it already.

    `verdict`: accepting (kept, not yet in the hub), accepted, declined, snoozed, undoing (the automation is
    still to be removed), undone (it may be offered again). `mode`: enabled, notify, disabled, or empty.
    `via`: page, phone, mqtt, api. `by` is the hub's user id, empty where it is not known. `trouble` says why
    it is not in the hub yet.
    """

    home_id: str
    suggestion_id: str
    title: str
    verdict: str
    mode: str
    via: str
    by: str
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class AutomationVerdict:
    """What is proposed for an accepted automation after it was watched.

    `proposal`: keep, shift, condition, retire; `why` is one sentence with its figures.
    """

    home_id: str
    suggestion_id: str
    title: str
    proposal: str
    why: str


@dataclass(frozen=True, slots=True)
class KeptDecisionEnded:
    """What had been kept while Home Assistant was away, or took its time, has been carried out now; or it
    cannot be: `trouble` says why, and is empty otherwise. The decision that stands tells the rest.
    """

    home_id: str
    suggestion_id: str
    trouble: str = ""
