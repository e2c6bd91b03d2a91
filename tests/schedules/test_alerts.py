from collections.abc import Iterator
from typing import Any

import dagster as dg
import pytest
from aiosmtpd.controller import Controller
from pydantic import SecretStr

from assets.common.lineage import staged_key
from pipelines.definitions import definitions
from resources.settings import Settings
from schedules.notifications import Alert, send
from tests.conftest import free_port
from tests.schedules.conftest import Webhook


class Mailbox:
    """What a real mail server received."""

    def __init__(self) -> None:
        self.mails: list[Any] = []

    async def handle_DATA(self, _server: object, _session: object, envelope: Any) -> str:  # noqa: N802
        self.mails.append(envelope)
        return "250 OK"


@pytest.fixture
def mailbox() -> Iterator[tuple[Mailbox, str]]:
    box = Mailbox()
    port = free_port()
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    yield box, f"smtp://127.0.0.1:{port}"
    controller.stop()


def refresh(settings: Settings, instance: dg.DagsterInstance, only: str) -> bool:
    job = definitions(settings).resolve_job_def("refresh")
    selection = [staged_key(only)]
    return job.execute_in_process(instance=instance, asset_selection=selection, raise_on_error=False).success


def break_tensions(settings: Settings) -> Any:
    """Break the classes of the file; return a function that repairs it."""
    path = settings.raw_data / "cities-tension-utf8.csv"
    text = path.read_text()
    head, *lines = text.splitlines()
    path.write_text("\n".join([head, *(line.rsplit(";", 1)[0] + ";x" for line in lines)]) + "\n")
    return lambda: path.write_text(text)


def test_an_incident_sends_one_alert_and_one_when_it_is_over(served: Settings, ticks_of: Any, webhook: Webhook) -> None:
    settings = served.model_copy(
        update={"alert_webhook": SecretStr(webhook.url), "ui_url": "https://dagster.example.org/"}
    )
    instance = dg.DagsterInstance.ephemeral()
    tick = ticks_of("failure_alert", settings, instance)
    assert "the first tick" in tick().skip_message
    mend = break_tensions(settings)
    for _ in range(2):
        assert not refresh(settings, instance, "tensions")
        tick()
    (failed,) = webhook.posted
    run = failed.pop("run")
    assert run.startswith("https://dagster.example.org/runs/")
    assert instance.get_run_by_id(run.rpartition("/")[2])
    assert failed.pop("text").startswith("Mobiville: tensions failed\ncities-tension-utf8.csv: ")
    error = failed.pop("error")
    assert error.startswith("cities-tension-utf8.csv: ")
    assert "line 2: " in error
    assert "found 'x'" in error
    assert failed.pop("where").startswith("resources/sources/audit.py:")
    assert failed == {"state": "failed", "asset": "tensions"}
    assert refresh(settings, instance, "helps")  # something else that works is no end of it
    assert "failing: tensions" in tick().skip_message
    mend()
    assert refresh(settings, instance, "tensions")
    tick()
    assert [post["state"] for post in webhook.posted] == ["failed", "over"]
    assert webhook.posted[1]["text"].startswith("Mobiville: tensions works again\nhttps://dagster.example.org/runs/")
    assert tick().skip_message == "no asset began or ceased to fail"


def test_an_unsent_alert_is_retried_and_its_address_stays_hidden(
    served: Settings, ticks_of: Any, webhook: Webhook
) -> None:
    settings = served.model_copy(update={"alert_webhook": SecretStr(webhook.url)})
    instance = dg.DagsterInstance.ephemeral()
    tick = ticks_of("failure_alert", settings, instance)
    tick()
    break_tensions(settings)
    refresh(settings, instance, "tensions")
    webhook.status = 503
    said = tick().skip_message
    assert said.endswith("not sent by webhook: HTTPError")
    assert "s3cret" not in said + repr(settings)
    webhook.status = 200
    tick()
    tick()
    assert len(webhook.posted) == 1


def test_alerts_are_sent_by_mail(served: Settings, ticks_of: Any, mailbox: tuple[Mailbox, str]) -> None:
    box, url = mailbox
    settings = served.model_copy(update={"alert_email": "data@example.org", "smtp_url": SecretStr(url)})
    instance = dg.DagsterInstance.ephemeral()
    tick = ticks_of("failure_alert", settings, instance)
    tick()
    break_tensions(settings)
    refresh(settings, instance, "tensions")
    tick()
    (mail,) = box.mails
    assert mail.rcpt_tos == ["data@example.org"]
    text = mail.content.decode()
    assert "Subject: Mobiville: tensions failed" in text
    assert "cities-tension-utf8.csv: " in text


def test_alerts_are_sent_to_the_services_that_apprise_knows(
    served: Settings, ticks_of: Any, webhook: Webhook, capfd: pytest.CaptureFixture[str]
) -> None:
    address = webhook.url.replace("http://", "json://")
    settings = served.model_copy(update={"alert_urls": SecretStr(f"{address} nothing://s3cret {address}")})
    instance = dg.DagsterInstance.ephemeral()
    tick = ticks_of("failure_alert", settings, instance)
    tick()
    break_tensions(settings)
    refresh(settings, instance, "tensions")
    said = tick().skip_message
    assert said.endswith("not sent by nothing: no address that apprise understands")
    for post in webhook.posted:
        assert post["title"] == "Mobiville: tensions failed"
        assert post["message"].startswith("cities-tension-utf8.csv: ")
    assert len(webhook.posted) == 2
    webhook.status = 503
    assert send(settings, Alert("over", "a", "", "", "r")) == [
        "json: refused",
        "nothing: no address that apprise understands",
        "json: refused",
    ]
    written = capfd.readouterr()
    assert "s3cret" not in said + repr(settings) + written.out + written.err


def test_a_killed_run_is_an_incident_of_its_job(served: Settings, ticks_of: Any, webhook: Webhook) -> None:
    settings = served.model_copy(update={"alert_webhook": SecretStr(webhook.url)})
    instance = dg.DagsterInstance.ephemeral()
    tick = ticks_of("failure_alert", settings, instance)
    tick()
    job = definitions(settings).resolve_job_def("refresh")
    instance.report_run_failed(instance.create_run_for_job(job))
    tick()
    assert [(post["asset"], post["state"]) for post in webhook.posted] == [("the job refresh", "failed")]


def test_without_a_channel_the_sensor_says_how_to_configure_one(served: Settings, ticks_of: Any) -> None:
    assert "set MOBIVILLE_ALERT_WEBHOOK" in ticks_of("failure_alert", served)().skip_message
