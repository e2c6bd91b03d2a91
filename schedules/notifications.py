"""Telling people that a refresh failed, or works again: by a webhook, by e-mail, or both."""

import smtplib
import ssl
from dataclasses import asdict, dataclass
from email.message import EmailMessage
from typing import Literal
from urllib.parse import unquote, urlsplit

import requests
from pydantic import SecretStr

from resources.settings import Settings

TIMEOUT_SECONDS = 10


@dataclass(frozen=True)
class Alert:
    """A failure, or its end."""

    state: Literal["failed", "over"]
    asset: str
    error: str  # in words; it names the raw file and its line where one is to blame
    where: str  # the line of code, as assets/cities.py:12
    run: str  # address of the run in the UI

    @property
    def title(self) -> str:
        """One line."""
        return f"Mobiville: {self.asset} {'failed' if self.state == 'failed' else 'works again'}"

    @property
    def text(self) -> str:
        """The whole, as people read it."""
        return "\n".join(filter(None, [self.title, self.error, self.where and f"at {self.where}", self.run]))


def channels(settings: Settings) -> list[str]:
    """Where alerts go: `webhook`, `e-mail`, both, or nowhere."""
    mail = settings.alert_email and settings.smtp_url
    return [name for name, there in (("webhook", settings.alert_webhook), ("e-mail", mail)) if there]


def send(settings: Settings, alert: Alert) -> list[str]:
    """Send an alert through every channel that is set; return what went wrong, without any address.

    The webhook gets JSON: `text`, as chats show it, and the fields of Alert.
    """
    wrong = []
    for name in channels(settings):
        try:
            if name == "webhook" and settings.alert_webhook:
                _post(settings.alert_webhook, alert)
            elif settings.smtp_url and settings.alert_email:
                _mail(settings.smtp_url, settings.alert_email, alert)
        except (requests.RequestException, smtplib.SMTPException, OSError) as error:
            wrong.append(f"{name}: {type(error).__name__}")  # its text may hold the address, and a key in it
    return wrong


def _post(webhook: SecretStr, alert: Alert) -> None:
    body = {"text": alert.text, **asdict(alert)}
    requests.post(webhook.get_secret_value(), json=body, timeout=TIMEOUT_SECONDS).raise_for_status()


def _mail(smtp_url: SecretStr, to: str, alert: Alert) -> None:
    url = urlsplit(smtp_url.get_secret_value())
    user = unquote(url.username or "")
    message = EmailMessage()
    message["Subject"], message["To"] = alert.title, to
    message["From"] = user if "@" in user else to
    message.set_content(alert.text)
    host, trusted = url.hostname or "localhost", ssl.create_default_context()
    with (
        smtplib.SMTP_SSL(host, url.port or 465, timeout=TIMEOUT_SECONDS, context=trusted)
        if url.scheme == "smtps"
        else smtplib.SMTP(host, url.port or 587, timeout=TIMEOUT_SECONDS)
    ) as server:
        if url.scheme != "smtps" and server.ehlo() and server.has_extn("starttls"):
            server.starttls(context=trusted)
        if user:
            server.login(user, unquote(url.password or ""))
        server.send_message(message)
