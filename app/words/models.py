"""The one door to a language model, and Home Assistant's own model behind it.

The other one, `chat`, is imported only where it is used: its library costs half a second and 24 MB.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from app.errors import NeighbourError, RefusedError
from app.options import ModelProvider, Options
from app.words.checking import read_text
from app.words.wording import LONGEST_DESCRIPTION, LONGEST_TITLE

CallService = Callable[[str, str, dict[str, Any]], Awaitable[dict[str, Any]]]
"""Performs a Home Assistant action (domain, action, data) and returns its response data."""

_STRUCTURE = {
    name: {"description": description, "required": True, "selector": {"text": {}}}
    for name, description in (
        ("title", f"One line, at most {LONGEST_TITLE} characters"),
        ("description", f"One or two sentences on one line, at most {LONGEST_DESCRIPTION} characters"),
    )
}


class Model(Protocol):
    """Something that answers instructions and data with a JSON object."""

    @property
    def label(self) -> str:
        """Which model it is, for people and for telling one from another; no secret."""

    async def answer(self, instructions: str, data: str) -> Any:
        """Return the answer, still unchecked.

        Raises NeighbourError when there was none in time, RefusedError when a person has to mend something.
        """

    async def close(self) -> None:
        """Let go of its connections."""


class HomeAssistantModel:
    """The hub's `ai_task.generate_data`, with the entity given or the one people prefer in the hub.

    Source: Home Assistant, components/ai_task: the response is `{conversation_id, data}`.
    """

    def __init__(self, call_service: CallService, entity_id: str, timeout_seconds: float) -> None:
        self._call_service = call_service
        self._entity_id = entity_id
        self._timeout_seconds = timeout_seconds

    @property
    def label(self) -> str:
        return f"home_assistant {self._entity_id}".strip()

    async def answer(self, instructions: str, data: str) -> Any:
        fields: dict[str, Any] = {
            "task_name": "Nightshift suggestion",
            "instructions": f"{instructions}\n\n{data}",
            "structure": _STRUCTURE,
        }
        if self._entity_id:
            fields["entity_id"] = self._entity_id
        try:
            async with asyncio.timeout(self._timeout_seconds):
                response = await self._call_service("ai_task", "generate_data", fields)
        except TimeoutError:
            raise NeighbourError(
                f"Home Assistant's AI task gave no answer in {self._timeout_seconds:g} s; "
                "raise model_timeout_seconds, or choose a faster model"
            ) from None
        except RefusedError as error:
            raise RefusedError(_hub_said(error)) from error
        except NeighbourError as error:
            raise NeighbourError(_hub_said(error)) from error
        given = response.get("data")
        return read_text(given) if isinstance(given, str) else given

    async def close(self) -> None:
        """Nothing is held: the connection is the hub's."""


def _hub_said(error: NeighbourError) -> str:
    return (
        f"Home Assistant's AI task failed ({error}). Set model_entity_id to an ai_task entity, "
        "or choose one to prefer under Settings, System, General"
    )


def model_of(options: Options, call_service: CallService) -> Model | None:
    """Return the model the options ask for, or None when templates write.

    Importing its library and reading certificates take a moment: call it before the loop serves anybody.
    """
    if options.model_provider is ModelProvider.HOME_ASSISTANT:
        return HomeAssistantModel(call_service, options.model_entity_id, options.model_timeout_seconds)
    if options.model_provider is ModelProvider.OPENAI:
        from app.words.chat import ChatModel  # noqa: PLC0415 - see above: only those who use it pay for it

        return ChatModel(
            base_url=str(options.model_base_url),
            key=options.model_api_key.get_secret_value(),
            model=options.model_name,
            timeout_seconds=options.model_timeout_seconds,
        )
    return None
