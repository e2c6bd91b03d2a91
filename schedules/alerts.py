"""The failure alert: one per incident, and one when it is over."""

import json
from collections.abc import Iterator
from typing import Any

import dagster as dg

from resources.failures import in_words, where
from resources.settings import Settings
from schedules.notifications import Alert, channels, send

SET = "set MOBIVILLE_ALERT_WEBHOOK, or MOBIVILLE_ALERT_EMAIL and MOBIVILLE_SMTP_URL"
ENDS: tuple[Any, ...] = (dg.DagsterEventType.RUN_FAILURE, dg.DagsterEventType.RUN_SUCCESS)
AT_ONCE = 100


def alert_sensor(settings: Settings) -> dg.SensorDefinition:
    """Failed and successful runs since the last look, turned into alerts.

    An incident begins with an asset's failure and ends with a run in which it succeeds; a run that failed without any
    step of its own (its process was killed) is an incident of its job.
    """

    @dg.sensor(
        name="failure_alert",
        minimum_interval_seconds=settings.sensor_seconds,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=(
            "Tells through MOBIVILLE_ALERT_WEBHOOK and MOBIVILLE_ALERT_EMAIL that an asset failed: the error in words, "
            "the line, the run; once per incident, and once when it is over."
        ),
    )
    def failure_alert(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        state: dict[str, Any] = {"after": None, "open": {}} | json.loads(context.cursor or "{}")
        if not channels(settings):
            return dg.SensorResult(skip_reason=f"no alert is set: {SET}")
        if state["after"] is None:
            state["after"] = max((number for number, _ in _ends(context.instance, 0, latest=True)), default=0)
            return dg.SensorResult(skip_reason="the first look: runs from now on count", cursor=json.dumps(state))
        sent: list[str] = []
        wrong: list[str] = []
        for storage_id, run in _finished(context.instance, state["after"]):
            for alert in _alerts(context.instance, run, state["open"], settings):
                failed = send(settings, alert)
                wrong += failed
                if len(failed) == len(channels(settings)):  # nobody was told: this run is looked at again
                    return _said(context, state, sent, wrong)
                sent.append(alert.title)
                if alert.state == "failed":
                    state["open"][alert.asset] = run.run_id
                else:
                    del state["open"][alert.asset]
            state["after"] = storage_id
        return _said(context, state, sent, wrong)

    return failure_alert


def _said(
    context: dg.SensorEvaluationContext, state: dict[str, Any], sent: list[str], wrong: list[str]
) -> dg.SensorResult:
    """What one reads of a look in the UI."""
    if wrong:
        context.log.error(f"an alert could not be sent: {', '.join(sorted(set(wrong)))}")
    told = f"told: {'; '.join(sent)}" if sent else "no asset began or ceased to fail"
    still = f"; failing: {', '.join(state['open'])}" if state["open"] else ""
    unsent = f"; not sent by {', '.join(sorted(set(wrong)))}" if wrong else ""
    return dg.SensorResult(skip_reason=told + still + unsent, cursor=json.dumps(state))


def _finished(instance: dg.DagsterInstance, after: int) -> list[tuple[int, dg.DagsterRun]]:
    """The runs that ended since the event of that number, with the number of their end, in order."""
    found = [(number, instance.get_run_by_id(run_id)) for number, run_id in sorted(_ends(instance, after))]
    return [(number, run) for number, run in found if run][:AT_ONCE]


def _ends(instance: dg.DagsterInstance, after: int, *, latest: bool = False) -> list[tuple[int, str]]:
    """Of each kind of end, the first (or the last) after the event of that number: their numbers, their runs."""
    limit = 1 if latest else AT_ONCE
    return [
        (record.storage_id, record.run_id)
        for kind in ENDS
        for record in instance.fetch_run_status_changes(
            dg.RunStatusChangeRecordsFilter(kind, after_storage_id=after), limit=limit, ascending=not latest
        ).records
    ]


def _alerts(
    instance: dg.DagsterInstance, run: dg.DagsterRun, incidents: dict[str, str], settings: Settings
) -> Iterator[Alert]:
    """What there is to tell of a run, given the incidents that are open."""
    link = f"{settings.ui_url.rstrip('/')}/runs/{run.run_id}"
    failures = _steps(instance, run, dg.DagsterEventType.STEP_FAILURE)
    for step, event in failures.items():
        if step not in incidents and (error := event.step_failure_data.error):
            yield Alert("failed", step, in_words(error), where(error), link)
    job = f"the job {run.job_name}"
    if run.is_failure and not failures and job not in incidents:
        yield Alert("failed", job, "the run ended before any asset failed: see its log", "", link)
    succeeded = {*_steps(instance, run, dg.DagsterEventType.STEP_SUCCESS), *([job] if run.is_success else [])}
    for asset in sorted(succeeded & set(incidents)):
        yield Alert("over", asset, "", "", link)


def _steps(instance: dg.DagsterInstance, run: dg.DagsterRun, kind: dg.DagsterEventType) -> dict[str, Any]:
    """The run's events of that kind, by step."""
    records = instance.get_records_for_run(run.run_id, of_type=kind).records
    return {str(r.event_log_entry.step_key): r.event_log_entry.dagster_event for r in records}
