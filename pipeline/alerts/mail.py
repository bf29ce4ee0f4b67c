"""Alerts as e-mails over SMTP (RFC 5321), encrypted where the address asks for it or the server can (RFC 3207)."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import format_datetime, localtime
from typing import Any
from urllib.parse import unquote, urlsplit

from pipeline.alerts.delivery import Undelivered
from pipeline.errors import ConfigError

TIMEOUT_S = 10.0
_PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class Server:
    """A mail server: ``smtp`` uses TLS if the server can, ``smtp+starttls`` insists on it, ``smtps`` begins with it."""

    scheme: str
    host: str
    port: int
    user: str
    password: str


class Mailbox:
    """Sends alerts by e-mail, a connection each: they are rare, and servers hang up on idle ones."""

    name = "email"

    def __init__(self, server: str, sender: str, recipients: Sequence[str]) -> None:
        """``server`` is ``smtp://user:password@host:port``. Raises ConfigError for what cannot be used."""
        self._server = parse(server)
        for address in (sender, *recipients):
            # A line break would let an address add headers of its own.
            if address.count("@") != 1 or any(c.isspace() or not c.isprintable() for c in address):
                raise ConfigError(
                    f"{address!r} is no e-mail address; mend OVERTONE_ALERT_EMAIL_FROM and OVERTONE_ALERT_EMAIL_TO"
                )
        self._sender, self._recipients = sender, tuple(recipients)

    def deliver(self, id: str, message: Mapping[str, Any]) -> None:
        """Hand the message to the mail server. Raises Undelivered unless it took it for every recipient."""
        mail = as_mail(id, message, self._sender, self._recipients)
        s = self._server
        context = ssl.create_default_context()
        try:
            if s.scheme == "smtps":
                connection: smtplib.SMTP = smtplib.SMTP_SSL(s.host, s.port, timeout=TIMEOUT_S, context=context)
            else:
                connection = smtplib.SMTP(s.host, s.port, timeout=TIMEOUT_S)
            with connection:
                connection.ehlo()
                encrypted = s.scheme == "smtps"
                if not encrypted and (s.scheme == "smtp+starttls" or connection.has_extn("starttls")):
                    connection.starttls(context=context)
                    connection.ehlo()
                    encrypted = True
                if s.user and not encrypted and s.host not in _LOOPBACK:
                    raise Undelivered(f"{s.host} offers no encryption, and a password is not sent without", False)
                if s.user:
                    connection.login(s.user, s.password)
                refused = connection.send_message(mail, self._sender, self._recipients)
        except smtplib.SMTPResponseException as error:
            # 4yz replies are passing, 5yz are final (RFC 5321, section 4.2.1).
            raise Undelivered(f"{s.host} answered {error.smtp_code}", retryable=error.smtp_code < 500) from error
        except smtplib.SMTPRecipientsRefused as error:
            final = all(code >= 500 for code, _ in error.recipients.values())
            raise Undelivered(f"{s.host} refused every recipient", retryable=not final) from error
        except smtplib.SMTPNotSupportedError as error:
            raise Undelivered(f"{s.host} cannot do what the setting asks for: {error}", retryable=False) from error
        except ssl.SSLCertVerificationError as error:
            raise Undelivered(f"the certificate of {s.host} is not trusted: {error.verify_message}", True) from error
        except (OSError, smtplib.SMTPException) as error:
            raise Undelivered(f"{s.host} did not answer: {type(error).__name__}", retryable=True) from error
        if refused:
            raise Undelivered(f"{s.host} refused {', '.join(refused)}; the others got it", retryable=False)

    def close(self) -> None:
        """Nothing stays open between messages."""


def parse(url: str) -> Server:
    """The mail server that OVERTONE_ALERT_SMTP names. Raises ConfigError, which never holds the password."""
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        port = -1
    if parts.scheme not in _PORTS or not parts.hostname or port == -1:
        raise ConfigError(
            "OVERTONE_ALERT_SMTP must be smtp://, smtp+starttls:// or smtps:// with user:password@host:port"
        )
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    return Server(parts.scheme, parts.hostname, port or _PORTS[parts.scheme], user, password)


def as_mail(id: str, message: Mapping[str, Any], sender: str, recipients: Sequence[str]) -> EmailMessage:
    """The alert as an e-mail; its Message-ID is the alert's id, so that a second copy is recognised."""
    call = message["call"]
    who = call.get("customer") or "Unknown caller"
    mail = EmailMessage()
    mail["From"], mail["To"] = sender, ", ".join(recipients)
    # Names come from outside: a line break in one would be a header of its own.
    mail["Subject"] = " ".join(f"[{message['severity']}] {message['rule']}: {who}".split())
    mail["Date"] = format_datetime(localtime())
    mail["Message-ID"] = f"<{id}@{sender.rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no answers from holidays
    sentence = message.get("sentence")
    lines = [
        str(message["message"]),
        "",
        f"Customer: {who}",
        f"Agent: {call.get('agent') or '-'}",
        *([f"Queue: {call['queue']}"] if call.get("queue") else []),
        *([f"Said: {sentence['text']}"] if sentence else []),
        f"Time: {message['at']}",
        f"Call: {message['link']}",
        "",
        "Please mark the alert as right or wrong on the Alerts page, so that the rule can be judged.",
    ]
    mail.set_content("\n".join(lines))
    return mail
