"""A model behind any server that speaks OpenAI's chat completions (docs/decisions/0003)."""

import asyncio
from typing import Any
from urllib.parse import urlsplit

import httpx2
import openai
from pydantic import BaseModel, Field, ValidationError

from app.errors import NeighbourError, RefusedError
from app.words.checking import read_text

_LARGEST_ANSWER = 256 * 1024
_REFUSALS = {
    400: "did not accept the request (400); check model_name",
    401: "refused the key (401); check model_api_key",
    402: "wants to be paid (402); check the account behind model_api_key",
    403: "does not allow this key to do that (403); check model_api_key and model_name",
    404: "does not know the address or the model (404); check model_base_url and model_name",
}


class _Message(BaseModel):
    content: str


class _Choice(BaseModel):
    message: _Message


class _Completion(BaseModel):
    choices: list[_Choice] = Field(min_length=1)


class ChatModel:
    """`POST {base_url}/chat/completions` with nothing but model and messages: what every server understands.

    One try, bounded in time as a whole and in bytes. Errors name the server, never the key, and never repeat
    what the server said: some repeat the key.
    """

    def __init__(self, *, base_url: str, key: str, model: str, timeout_seconds: float) -> None:
        self._model = model
        self._timeout_seconds = timeout_seconds
        self._server = urlsplit(base_url).hostname or "the model's server"
        self._base_url = base_url
        self._key = key
        self._client: openai.AsyncOpenAI | None = None

    @property
    def label(self) -> str:
        return f"{self._model} at {self._server}"

    async def answer(self, instructions: str, data: str) -> Any:
        if self._client is None:
            # Making it reads the certificates, which takes longer than the loop may be held.
            self._client = await asyncio.to_thread(self._made)
        try:
            async with asyncio.timeout(self._timeout_seconds):
                body = await self._ask(self._client, instructions, data)
        except (TimeoutError, openai.APITimeoutError, httpx2.TimeoutException):
            raise NeighbourError(
                f"the model at {self._server} gave no answer in {self._timeout_seconds:g} s; "
                "raise model_timeout_seconds, or choose a faster model"
            ) from None
        except openai.APIStatusError as error:
            raise self._status(error.status_code) from None
        except (openai.OpenAIError, httpx2.HTTPError) as error:
            cause = type(error.__cause__ or error).__name__
            raise NeighbourError(
                f"the model at {self._server} cannot be reached ({cause}); check model_base_url"
            ) from None
        try:
            content = _Completion.model_validate_json(body).choices[0].message.content
        except ValidationError:
            raise NeighbourError(
                f"the server at {self._server} does not answer as chat completions do; check model_base_url"
            ) from None
        return read_text(content)

    async def _ask(self, client: openai.AsyncOpenAI, instructions: str, data: str) -> bytes:
        body = bytearray()
        async with client.chat.completions.with_streaming_response.create(
            model=self._model,
            messages=[{"role": "system", "content": instructions}, {"role": "user", "content": data}],
        ) as response:
            async for part in response.iter_bytes():
                body += part
                if len(body) > _LARGEST_ANSWER:
                    raise NeighbourError(f"the model at {self._server} says too much; choose another model")
        return bytes(body)

    def _made(self) -> openai.AsyncOpenAI:
        return openai.AsyncOpenAI(
            base_url=self._base_url,
            # A server without keys ignores it; the library wants one.
            api_key=self._key or "none",
            timeout=self._timeout_seconds,
            max_retries=0,
        )

    def _status(self, status: int) -> NeighbourError:
        if (refusal := _REFUSALS.get(status)) is not None:
            return RefusedError(f"the model at {self._server} {refusal}")
        if status == 429:
            return NeighbourError(
                f"the model at {self._server} wants fewer requests (429); lower model_requests_a_night, "
                "or check the account's limits"
            )
        return NeighbourError(
            f"the model at {self._server} failed ({status}); it is asked again another night"
        )

    async def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.close()
