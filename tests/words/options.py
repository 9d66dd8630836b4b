"""Options as people would set them, for the tests of this room."""

from typing import Any

from app.options import Options


def options(**given: Any) -> Options:
    return Options.model_validate(given)
