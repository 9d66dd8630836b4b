"""One root exception; its families say what the caller can do about it."""


class NightshiftError(Exception):
    """Something went wrong; the message says what happened, to what, and what to do next.

    The text is shown to people and logged: it never carries a secret.
    """


class InputError(NightshiftError):
    """What was given cannot be used (a file, an option, a request): the giver has to change it.

    The command line ends with code 2, the API with 4xx; nothing has been written.
    """


class OptionsError(InputError):
    """An option is wrong: the message names the option and what it takes."""


class NeighbourError(NightshiftError):
    """A neighbour (hub, broker, model, mail server) did not do its part; trying later may help."""


class RefusedError(NeighbourError):
    """A neighbour answered and said no (a revoked token, a wrong password): only a person can mend it."""


class StoreError(NightshiftError):
    """Our own database cannot be used (damaged, locked for too long, disk full)."""
