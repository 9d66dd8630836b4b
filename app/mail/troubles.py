"""What a mail server's errors mean to the people who have to do something about them."""

import ssl

import aiosmtplib

from app.errors import NeighbourError, RefusedError

_LONGEST = 160


def mail_error(server: str, error: Exception) -> NeighbourError:
    """Return what to tell in one line: a RefusedError when only a person can mend it.

    RFC 5321, 4.2.1: 4xx is transient, 5xx permanent.
    """
    if (untrusted := _tls_error(error)) is not None:
        reason = getattr(untrusted, "verify_message", "") or untrusted.reason or "TLS failed"
        return RefusedError(
            f"the mail server {server} cannot be trusted ({reason}); "
            "check mail_host, mail_port and mail_security"
        )
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        return _answered(server, error.recipients[0])
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return _answered(server, error)
    if isinstance(error, OSError):
        what = (
            "gave no answer in time" if isinstance(error, TimeoutError) else "cannot be reached, or hung up"
        )
        return NeighbourError(
            f"the mail server {server} {what}; check mail_host, mail_port and mail_security"
        )
    return RefusedError(
        f"the mail server {server} does not offer what is asked of it ({_line(str(error))}); "
        "check mail_security, mail_username and mail_password"
    )


def _answered(server: str, error: aiosmtplib.SMTPResponseException) -> NeighbourError:
    said = f"{error.code} {error.message}"
    what, look_at = "refused the message", "the mail options"
    if isinstance(error, aiosmtplib.SMTPAuthenticationError):
        # Without the server's text: it may repeat what it was given.
        said, what, look_at = str(error.code), "refused the login", "mail_username and mail_password"
    elif isinstance(error, aiosmtplib.SMTPRecipientRefused):
        what, look_at = "refused every recipient", "mail_to"
    elif isinstance(error, aiosmtplib.SMTPSenderRefused):
        what, look_at = "refused the sender", "mail_from"
    text = f"the mail server {server} {what} ({_line(said)})"
    if error.code >= 500:
        return RefusedError(f"{text}; check {look_at}")
    return NeighbourError(f"{text}; it may take it later")


def _tls_error(error: BaseException | None) -> ssl.SSLError | None:
    while error is not None:
        if isinstance(error, ssl.SSLError):
            return error
        error = error.__cause__
    return None


def _line(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text).strip()[:_LONGEST]
