"""Mail: sent over a real SMTP server, and every refusal told apart."""

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from app.bus import Bus
from app.clock import TurnedClock
from app.errors import InputError, NeighbourError, OptionsError, RefusedError
from app.mail.sender import Mailer, mailer_of
from app.neighbours import Neighbours, NeighbourState
from app.options import MailSecurity, Options
from tests.mail.peer import PASSWORD, mail_server, own_authority

NOW = datetime(2026, 3, 1, 6, 30, tzinfo=UTC)


@pytest.fixture
def clock() -> TurnedClock:
    return TurnedClock(NOW)


@pytest.fixture
def neighbours(clock: TurnedClock) -> Neighbours:
    return Neighbours(Bus(), clock)


def _mailer(neighbours: Neighbours, clock: TurnedClock, port: int, **given: Any) -> Mailer:
    settings: dict[str, Any] = {
        "host": "127.0.0.1",
        "port": port,
        "security": MailSecurity.NONE,
        "username": "",
        "password": "",
        "sender": "Nightshift <night@example.org>",
        "recipients": "Zoë <zoe@example.org>, sam@example.org",
        "timeout_seconds": 5,
    }
    return Mailer(**{**settings, **given}, neighbours=neighbours, clock=clock)


async def test_a_message_arrives_whole(neighbours: Neighbours, clock: TurnedClock) -> None:
    async with mail_server() as inbox:
        mailer = _mailer(neighbours, clock, inbox.port)
        await mailer.send("Good morning ☀", "Two new suggestions.\n", "<p>Two</p>", key="report 2026-03-01")
    message = inbox.messages[0]
    assert message["Subject"] == "Good morning ☀"
    assert message["From"] == "Nightshift <night@example.org>"
    assert message["To"] == "Zoë <zoe@example.org>, sam@example.org"
    assert message["Date"].datetime == NOW
    assert message["Auto-Submitted"] == "auto-generated"
    plain, html = message.get_body(("plain",)), message.get_body(("html",))
    assert plain is not None
    assert html is not None
    assert plain.get_content().strip() == "Two new suggestions."
    assert html.get_content().strip() == "<p>Two</p>"
    assert inbox.envelopes == [("night@example.org", ["zoe@example.org", "sam@example.org"])]
    assert neighbours.get("mail").state is NeighbourState.OK


async def test_the_same_message_again_has_the_same_id_and_another_one_another(
    neighbours: Neighbours, clock: TurnedClock
) -> None:
    async with mail_server() as inbox:
        mailer = _mailer(neighbours, clock, inbox.port)
        for key in ("a", "a", "b"):
            await mailer.send("Hello", "text", key=key)
    one, again, other = (message["Message-ID"] for message in inbox.messages)
    assert one == again != other


@pytest.mark.parametrize("security", list(MailSecurity))
async def test_each_kind_of_security_is_spoken(
    neighbours: Neighbours, clock: TurnedClock, security: MailSecurity
) -> None:
    context = await asyncio.to_thread(own_authority)
    tls, starttls = security is MailSecurity.TLS, security is MailSecurity.STARTTLS
    async with mail_server(tls=tls, starttls=starttls, logins=True) as inbox:
        mailer = _mailer(
            neighbours, clock, inbox.port,
            security=security, username="night", password=PASSWORD, tls_context=context,
        )  # fmt: skip
        await mailer.check()
        assert inbox.messages == []
        await mailer.send("Hello", "text", key="a")
    assert len(inbox.messages) == 1


async def test_a_wrong_password_is_refused_and_repeated_nowhere(
    neighbours: Neighbours, clock: TurnedClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "app")
    async with mail_server(logins=True) as inbox:
        mailer = _mailer(neighbours, clock, inbox.port, username="night", password="wrong battery")
        with pytest.raises(RefusedError, match="mail_password") as caught:
            await mailer.check()
        with pytest.raises(RefusedError):
            await mailer.send("Hello", "text", key="a")
    failed = neighbours.get("mail")
    assert failed.state is NeighbourState.FAILED
    assert "wrong battery" not in failed.message + repr(caught.value) + caplog.text


@pytest.mark.parametrize(
    ("answer", "kind", "why"),
    [
        ("451 try again later", NeighbourError, "may take it later"),
        ("552 too big", RefusedError, "552 too big"),
    ],
)
async def test_a_refused_message_tells_whether_later_may_help(
    neighbours: Neighbours, clock: TurnedClock, answer: str, kind: type[Exception], why: str
) -> None:
    async with mail_server() as inbox:
        inbox.on_data = answer
        with pytest.raises(kind, match=why) as caught:
            await _mailer(neighbours, clock, inbox.port).send("Hello", "text", key="a")
    assert type(caught.value) is kind
    assert neighbours.get("mail").message == str(caught.value)


async def test_one_refused_recipient_does_not_keep_it_from_the_other(
    neighbours: Neighbours, clock: TurnedClock
) -> None:
    async with mail_server() as inbox:
        inbox.on_recipient["sam@example.org"] = "550 nobody here"
        await _mailer(neighbours, clock, inbox.port).send("Hello", "text", key="a")
    assert inbox.envelopes == [("night@example.org", ["zoe@example.org"])]
    assert neighbours.get("mail").message == "1 of 2 recipients were refused; check mail_to"


async def test_every_recipient_refused_is_a_refusal(neighbours: Neighbours, clock: TurnedClock) -> None:
    async with mail_server() as inbox:
        inbox.on_recipient = dict.fromkeys(("sam@example.org", "zoe@example.org"), "550 nobody here")
        with pytest.raises(RefusedError, match="mail_to"):
            await _mailer(neighbours, clock, inbox.port).send("Hello", "text", key="a")


async def test_a_certificate_nobody_vouches_for_is_refused(
    neighbours: Neighbours, clock: TurnedClock
) -> None:
    context = await asyncio.to_thread(ssl.create_default_context)
    for security in (MailSecurity.TLS, MailSecurity.STARTTLS):
        tls = security is MailSecurity.TLS
        async with mail_server(tls=tls, starttls=not tls) as inbox:
            mailer = _mailer(neighbours, clock, inbox.port, security=security, tls_context=context)
            with pytest.raises(RefusedError, match="cannot be trusted"):
                await mailer.check()


@pytest.mark.parametrize(
    ("given", "why"),
    [({"security": MailSecurity.STARTTLS}, "mail_security"), ({"username": "night"}, "mail_username")],
)
async def test_a_server_that_lacks_what_the_options_ask_for_is_told(
    neighbours: Neighbours, clock: TurnedClock, given: dict[str, Any], why: str
) -> None:
    async with mail_server() as inbox:
        with pytest.raises(RefusedError, match=why):
            await _mailer(neighbours, clock, inbox.port, **given).check()


async def test_a_server_that_is_not_there_is_told(
    neighbours: Neighbours, clock: TurnedClock, unused_tcp_port: int
) -> None:
    with pytest.raises(NeighbourError, match="cannot be reached") as caught:
        await _mailer(neighbours, clock, unused_tcp_port).check()
    assert type(caught.value) is NeighbourError


@asynccontextmanager
async def _plain_server(greeting: bytes) -> AsyncIterator[int]:
    held: list[asyncio.StreamWriter] = []

    async def meet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        held.append(writer)
        writer.write(greeting)
        if greeting:
            writer.close()

    server = await asyncio.start_server(meet, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()
    for writer in held:
        writer.close()


async def test_a_server_that_says_nothing_is_left_after_a_bound(
    neighbours: Neighbours, clock: TurnedClock
) -> None:
    async with _plain_server(b"") as port:
        with pytest.raises(NeighbourError, match="in time"):
            await _mailer(neighbours, clock, port, timeout_seconds=0.2).send("Hello", "text", key="a")


async def test_a_server_that_hangs_up_is_told(neighbours: Neighbours, clock: TurnedClock) -> None:
    async with _plain_server(b"220 hello\r\n") as port:
        with pytest.raises(NeighbourError, match="hung up"):
            await _mailer(neighbours, clock, port).send("Hello", "text", key="a")


async def test_a_subject_cannot_add_a_header(neighbours: Neighbours, clock: TurnedClock) -> None:
    async with mail_server() as inbox:
        for subject in ("Hello\r\nBcc: eve@example.org", "Hello\nX: y"):
            with pytest.raises(InputError, match="one line"):
                await _mailer(neighbours, clock, inbox.port).send(subject, "text", key="a")
    assert inbox.messages == []


@pytest.mark.parametrize(
    ("option", "given"),
    [
        ("mail_from", {"sender": "night@example.org\r\nBcc: eve@example.org"}),
        ("mail_from", {"sender": "night"}),
        ("mail_to", {"recipients": "sam@example.org, nobody"}),
        ("mail_to", {"recipients": "@example.org"}),
    ],
)
def test_an_address_that_cannot_be_one_names_its_option(
    neighbours: Neighbours, clock: TurnedClock, option: str, given: dict[str, str]
) -> None:
    with pytest.raises(OptionsError, match=option):
        _mailer(neighbours, clock, 25, **given)


async def test_the_options_make_a_mailer_or_none(neighbours: Neighbours, clock: TurnedClock) -> None:
    assert mailer_of(await _options(), neighbours, clock) is None
    async with mail_server() as inbox:
        given = {"mail_host": "127.0.0.1", "mail_port": inbox.port, "mail_security": "none"}
        options = await _options(**given, mail_from="a@example.org", mail_to="b@example.org")
        mailer = mailer_of(options, neighbours, clock)
        assert mailer is not None
        await mailer.send("Hello", "text", key="a")
    assert inbox.envelopes == [("a@example.org", ["b@example.org"])]


async def _options(**given: Any) -> Options:
    return await asyncio.to_thread(Options.model_validate, given)
