"""How deciding can fail, by what the person who decides can do about it. The messages are for them."""

from app.errors import InputError, NightshiftError
from app.habits.offers.decision import Decision


class DecidedAlreadyError(NightshiftError):
    """Something else was decided already; `decision` says what, by whom and when."""

    def __init__(self, decision: Decision) -> None:
        super().__init__(f"This was decided already: {decision.verdict}.")
        self.decision = decision


class NotOnOfferError(NightshiftError):
    """There is no such suggestion, or it is not on offer."""

    def __init__(self) -> None:
        super().__init__("No such suggestion is on offer.")


class NothingDecidedError(NightshiftError):
    """There is no decision to take back or to change."""

    def __init__(self) -> None:
        super().__init__("Nothing is decided on that suggestion.")


class NeedsConfirmationError(InputError):
    """A mistake of it would cost more than a lamp left on: it takes an explicit yes."""

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(f"This {why}: accept it with confirm true if it may do so with nobody looking.")


class NoHubError(InputError):
    """There is no Home Assistant to make an automation in (the demo)."""

    def __init__(self) -> None:
        super().__init__(
            "There is no Home Assistant behind this page, so nothing can be made here. Copy the YAML and "
            "paste it in Home Assistant under Settings, Automations, Create automation, Edit in YAML."
        )


class EditedError(NightshiftError):
    """A person changed the automation in Home Assistant since; only `force` overwrites or removes it."""

    def __init__(self) -> None:
        super().__init__(
            "Someone changed this automation in Home Assistant since. It is left as it is; to replace or "
            "remove it all the same, confirm that their changes may be lost."
        )


class NoPhoneError(InputError):
    """There is nobody to ask first."""

    def __init__(self) -> None:
        super().__init__(
            "No phone with Home Assistant's app is known to Home Assistant, so nobody could be asked first."
        )


class NotEditableError(InputError):
    """People's own automation cannot be changed from outside: it is not in Home Assistant's editor."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"“{name}” cannot be changed from here: it is not in Home Assistant's automations.yaml. Copy the "
            "YAML, and put it where that automation is written."
        )


class ChangedSinceError(NightshiftError):
    """People's own automation is no longer the one that was looked at; `seen` is the mark of what it is."""

    def __init__(self, name: str, seen: str) -> None:
        super().__init__(
            f"“{name}” was changed in Home Assistant meanwhile. Nothing was done; look at it as it is now."
        )
        self.seen = seen


class AddedError(InputError):
    """What is a step of people's own automation is not changed like one that was made."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"This is a step of “{name}” now. Change it in Home Assistant, or take it out again."
        )
