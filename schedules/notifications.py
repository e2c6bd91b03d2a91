"""Messages about a failure and its end: to a webhook, by e-mail, to the services that apprise knows."""

import smtplib
import ssl
from dataclasses import asdict, dataclass
from email.message import EmailMessage
from typing import Literal
from urllib.parse import unquote, urlsplit

from pydantic import SecretStr

from resources.settings import Settings

TIMEOUT_SECONDS = 10


@dataclass(frozen=True)
class Alert:
    """A failure, or the end of one."""

    state: Literal["failed", "over"]
    asset: str
    error: str  # its message, which names the raw file and line that caused it, if one did
    where: str  # line of code, as assets/cities.py:12
    run: str  # URL of the run in the UI

    @property
    def title(self) -> str:
        """The subject: one line."""
        return f"Mobiville: {self.asset} {'failed' if self.state == 'failed' else 'works again'}"

    @property
    def text(self) -> str:
        """The whole message, as text."""
        return "\n".join(filter(None, [self.title, self.error, self.where and f"at {self.where}", self.run]))


def channels(settings: Settings) -> list[str]:
    """The channels that are configured: `webhook`, `e-mail`, and of other addresses what stands before `://`."""
    mail = settings.alert_email and settings.smtp_url
    named = [name for name, there in (("webhook", settings.alert_webhook), ("e-mail", mail)) if there]
    return named + [url.partition(":")[0] for url in _urls(settings)]


def _urls(settings: Settings) -> list[str]:
    return settings.alert_urls.get_secret_value().split() if settings.alert_urls else []


def send(settings: Settings, alert: Alert) -> list[str]:
    """Send an alert through every configured channel; return their errors, without addresses.

    The webhook receives JSON: `text` (chats show it) and the fields of Alert.
    """
    from apprise import Apprise  # a tenth of a second with requests, for an alert alone

    errors = []
    for name in channels(settings):
        try:
            if name == "webhook" and settings.alert_webhook:
                _post(settings.alert_webhook, alert)
            elif name == "e-mail" and settings.smtp_url and settings.alert_email:
                _mail(settings.smtp_url, settings.alert_email, alert)
        except OSError as error:  # those of requests and smtplib are of this kind
            errors.append(f"{name}: {type(error).__name__}")  # its message may hold the address, and a key in that
    for url in _urls(settings):
        service = Apprise()
        if not service.add(url):
            errors.append(f"{url.partition(':')[0]}: no address that apprise understands")
        elif not service.notify(alert.text.partition("\n")[2], alert.title):
            errors.append(f"{url.partition(':')[0]}: refused")
    return errors


def _post(webhook: SecretStr, alert: Alert) -> None:
    import requests

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
