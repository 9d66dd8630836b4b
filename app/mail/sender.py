"""Mail over SMTP: one message, one try, told apart by who can mend a failure (docs/decisions/0004)."""

import asyncio
import hashlib
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.message import EmailMessage
from email.utils import format_datetime, formataddr, getaddresses

import aiosmtplib

from app.clock import Clock
from app.errors import InputError, NeighbourError, OptionsError
from app.mail.troubles import mail_error
from app.neighbours import Neighbours, NeighbourState
from app.options import MailSecurity, Options

_TIMEOUT_SECONDS = 30.0
# What a mail program without a name says (RFC 5321, 4.1.3); to find the machine's name would ask the DNS.
_OWN_NAME = "[127.0.0.1]"


class Mailer:
    """Sends to the addresses of the options. Sets the neighbour `mail` with every try."""

    def __init__(
        self,
        *,
        host: str,
        port: int,
        security: MailSecurity,
        username: str,
        password: str,
        sender: str,
        recipients: str,
        neighbours: Neighbours,
        clock: Clock,
        timeout_seconds: float = _TIMEOUT_SECONDS,
        tls_context: ssl.SSLContext | None = None,
    ) -> None:
        """`recipients` are separated by commas; `tls_context` None trusts what the system trusts.

        Raises OptionsError when an address cannot be one.
        """
        self._host = host
        self._port = port
        self._security = security
        self._username = username
        self._password = password
        self._from = _addresses("mail_from", sender)[0]
        self._to = _addresses("mail_to", recipients)
        self._neighbours = neighbours
        self._clock = clock
        self._timeout_seconds = timeout_seconds
        self._tls_context = tls_context

    async def send(self, subject: str, text: str, html: str | None = None, *, key: str) -> None:
        """Send one message; `key` makes its Message-ID, so that the same one sent twice is recognised.

        Raises NeighbourError when trying later may help (no answer, 4xx), RefusedError when a person has to
        mend something (5xx, a wrong password, an untrusted certificate), InputError when the subject has a
        line break. After a lost connection it is not known whether the message went out.
        """
        message = self._message(subject, text, html, key)
        try:
            async with self._connected() as server:
                refused, _ = await server.send_message(
                    message,
                    sender=self._from[1],
                    recipients=[address for _, address in self._to],
                )
        except NeighbourError as error:
            self._neighbours.set("mail", NeighbourState.FAILED, str(error))
            raise
        told = f"{len(refused)} of {len(self._to)} recipients were refused; check mail_to" if refused else ""
        self._neighbours.set("mail", NeighbourState.OK, told)

    async def check(self) -> None:
        """Connect, secure the connection, log in and leave; nothing is sent.

        Raises NeighbourError or RefusedError that tells which option to look at.
        """
        async with self._connected() as server:
            await server.noop()

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[aiosmtplib.SMTP]:
        if self._tls_context is None and self._security is not MailSecurity.NONE:
            # Reading the system's certificates takes longer than the loop may be held.
            self._tls_context = await asyncio.to_thread(ssl.create_default_context)
        server = aiosmtplib.SMTP(
            hostname=self._host,
            port=self._port,
            username=self._username or None,
            password=self._password or None,
            use_tls=self._security is MailSecurity.TLS,
            start_tls=self._security is MailSecurity.STARTTLS,
            tls_context=None if self._security is MailSecurity.NONE else self._tls_context,
            local_hostname=_OWN_NAME,
            timeout=self._timeout_seconds,
        )
        try:
            # Bounded as a whole too: a server may answer every command just in time.
            async with asyncio.timeout(self._timeout_seconds), server:
                yield server
        except (aiosmtplib.SMTPException, OSError) as error:
            raise mail_error(f"{self._host}:{self._port}", error) from None

    def _message(self, subject: str, text: str, html: str | None, key: str) -> EmailMessage:
        message = EmailMessage()
        try:
            message["Subject"] = subject
        except ValueError as error:
            raise InputError("a mail's subject has to be one line") from error
        message["From"] = formataddr(self._from)
        message["To"] = ", ".join(formataddr(address) for address in self._to)
        message["Date"] = format_datetime(self._clock.now())
        message["Message-ID"] = f"<{hashlib.sha256(key.encode()).hexdigest()[:32]}@nightshift>"
        # RFC 3834: no out-of-office answers to this.
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(text)
        if html is not None:
            message.add_alternative(html, subtype="html")
        return message


def mailer_of(options: Options, neighbours: Neighbours, clock: Clock) -> Mailer | None:
    """Return the mailer that the options ask for, or None without `mail_host`."""
    if not options.mail_host:
        return None
    return Mailer(
        host=options.mail_host,
        port=options.mail_port,
        security=options.mail_security,
        username=options.mail_username,
        password=options.mail_password.get_secret_value(),
        sender=options.mail_from,
        recipients=options.mail_to,
        neighbours=neighbours,
        clock=clock,
    )


def _addresses(option: str, given: str) -> list[tuple[str, str]]:
    """Return (name, address) pairs."""
    if not given.isprintable():
        raise OptionsError(f"{option}: has a line break or a control character")
    found = getaddresses([given])
    for _, address in found:
        local, at, domain = address.rpartition("@")
        if not (local and at and domain) or any(letter.isspace() for letter in address):
            raise OptionsError(
                f"{option}: expected mail addresses such as me@example.org, with commas between"
            )
    return found
