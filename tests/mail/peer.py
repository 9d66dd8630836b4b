"""A real mail server for the tests: aiosmtpd on the test's own loop, with TLS and logins."""

import asyncio
import ssl
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword

_CERTIFICATE = Path(__file__).with_name("localhost.pem")
PASSWORD = "correct horse"


@dataclass
class Inbox:
    """What arrived, and what to answer instead of taking it."""

    port: int = 0
    messages: list[EmailMessage] = field(default_factory=list)
    envelopes: list[tuple[str, list[str]]] = field(default_factory=list)
    on_recipient: dict[str, str] = field(default_factory=dict)
    on_data: str = "250 taken"

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _server: Any, _session: Any, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        answer = self.on_recipient.get(address, "250 taken")
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Envelope) -> str:  # noqa: N802
        if self.on_data.startswith("250"):
            content = envelope.content
            assert isinstance(content, bytes)
            parsed = message_from_bytes(content, policy=policy.default)
            assert isinstance(parsed, EmailMessage)
            self.messages.append(parsed)
            self.envelopes.append((envelope.mail_from or "", list(envelope.rcpt_tos)))
        return self.on_data


def _authenticate(_server: Any, _session: Any, _envelope: Any, _mechanism: str, given: Any) -> AuthResult:
    right = isinstance(given, LoginPassword) and given.password == PASSWORD.encode()
    return AuthResult(success=right, handled=False)


def own_authority() -> ssl.SSLContext:
    """Return a context that trusts the peer's certificate."""
    return ssl.create_default_context(cafile=str(_CERTIFICATE))


def _serving() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(str(_CERTIFICATE))
    return context


@asynccontextmanager
async def mail_server(
    *, tls: bool = False, starttls: bool = False, logins: bool = False
) -> AsyncIterator[Inbox]:
    """Serve on a free port of this machine."""
    loop = asyncio.get_running_loop()
    context = await asyncio.to_thread(_serving)
    inbox = Inbox()
    # aiosmtpd counts a connection that began with TLS as plain; logins over it are allowed all the same.
    given: dict[str, Any] = {"auth_required": logins, "auth_require_tls": starttls}
    if logins:
        given["authenticator"] = _authenticate
    if starttls:
        given["tls_context"] = context
        given["require_starttls"] = True

    def session() -> SMTP:
        with warnings.catch_warnings():
            # It warns of logins without TLS: these are the test's own.
            warnings.simplefilter("ignore", UserWarning)
            return SMTP(inbox, hostname="peer", loop=loop, **given)

    server = await loop.create_server(
        session,
        "127.0.0.1",
        0,
        ssl=context if tls else None,
    )
    inbox.port = server.sockets[0].getsockname()[1]
    try:
        yield inbox
    finally:
        server.close()
