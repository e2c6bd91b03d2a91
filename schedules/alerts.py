"""The failure alert: one message per incident, and one when it is over."""

import json
from collections.abc import Iterator
from typing import Any

import dagster as dg

from assets.raw_files import WHOLE
from resources.failures import in_words, where
from resources.settings import Settings
from schedules.notifications import Alert, channels, send
from schedules.runs import delete_old_runs, end_dead_runs, hanging

SET = "set MOBIVILLE_ALERT_WEBHOOK, MOBIVILLE_ALERT_URLS, or MOBIVILLE_ALERT_EMAIL and MOBIVILLE_SMTP_URL"
ENDS: tuple[Any, ...] = (dg.DagsterEventType.RUN_FAILURE, dg.DagsterEventType.RUN_SUCCESS)
MOST_PER_TICK = 100


def alert_sensor(settings: Settings) -> dg.SensorDefinition:
    """The sensor that sends alerts for the runs that failed or succeeded since the last tick.

    An incident begins when an asset fails and ends when it succeeds again. A run that failed without a failed step (its
    process was killed) is an incident of its job.
    """

    @dg.sensor(
        name="failure_alert",
        minimum_interval_seconds=settings.sensor_seconds,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=(
            "Reports a failed asset, a damaged dump and a queue that does not move (MOBIVILLE_ALERT_…): the error "
            "message, the line of code, the run; once per incident, and once when it is over. It also ends runs whose "
            "process is gone, and deletes old ones (MOBIVILLE_KEEP_RUNS)."
        ),
    )
    def failure_alert(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        return _tick(context, settings, {"after": None, "open": {}} | json.loads(context.cursor or "{}"))

    return failure_alert


def _tick(context: dg.SensorEvaluationContext, settings: Settings, state: dict[str, Any]) -> dg.SensorResult:
    """A tick of the sensor; `state` becomes its cursor."""
    end_dead_runs(context.instance, context.log.warning)
    delete_old_runs(context.instance, settings.keep_runs)
    if not channels(settings):
        return dg.SensorResult(skip_reason=f"no alert is configured: {SET}")
    if state["after"] is None:
        state["after"] = max((number for number, _ in _ends(context.instance, 0, latest=True)), default=0)
        return dg.SensorResult(skip_reason="the first tick: runs from now on are reported", cursor=json.dumps(state))
    sent: list[str] = []
    errors: list[str] = []

    def report(alert: Alert) -> bool:
        failed = send(settings, alert)
        errors.extend(failed)
        if len(failed) == len(channels(settings)):  # no channel works: the next tick reports this again
            return False
        sent.append(alert.title)
        if alert.state == "failed":
            state["open"][alert.asset] = alert.run
        else:
            del state["open"][alert.asset]
        return True

    for storage_id, run in _finished(context.instance, state["after"]):
        if not all(map(report, _alerts(context.instance, run, state["open"], settings))):
            break
        state["after"] = storage_id
    all(map(report, _standing(context.instance, state["open"], settings)))
    return _result(context, state, sent, errors)


def _result(
    context: dg.SensorEvaluationContext, state: dict[str, Any], sent: list[str], errors: list[str]
) -> dg.SensorResult:
    """The result of a tick, as the UI shows it."""
    unsent = f"not sent by {', '.join(sorted(set(errors)))}" if errors else ""
    if errors:
        context.log.error(f"an alert was {unsent}")
    reported = f"sent: {'; '.join(sent)}" if sent else "no asset began or ceased to fail"
    still = f"failing: {', '.join(state['open'])}" if state["open"] else ""
    return dg.SensorResult(skip_reason="; ".join(filter(None, [reported, still, unsent])), cursor=json.dumps(state))


def _finished(instance: dg.DagsterInstance, after: int) -> list[tuple[int, dg.DagsterRun]]:
    """The runs that ended after the event of that number, with the number of the event of their end, in order."""
    found = [(number, instance.get_run_by_id(run_id)) for number, run_id in sorted(_ends(instance, after))]
    return [(number, run) for number, run in found if run][:MOST_PER_TICK]


def _ends(instance: dg.DagsterInstance, after: int, *, latest: bool = False) -> list[tuple[int, str]]:
    """Event number and run id of the first runs of each kind of end after that event; of the last one, if `latest`."""
    limit = 1 if latest else MOST_PER_TICK
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
    """The alerts for a run, given the open incidents."""
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


def _standing(instance: dg.DagsterInstance, incidents: dict[str, str], settings: Settings) -> Iterator[Alert]:
    """The alerts for what no end of a run tells: a queue that does not move, a damaged dump."""
    url = settings.ui_url.rstrip("/")
    dump = instance.event_log_storage.get_latest_asset_check_execution_by_key([WHOLE]).get(WHOLE)
    evaluation = dump and dump.event and dump.event.dagster_event and dump.event.asset_check_evaluation
    damaged = evaluation.description or "" if evaluation and not evaluation.passed else ""
    for name, words, link in (
        ("the queue of runs", hanging(instance), f"{url}/runs"),
        ("the newest dump", damaged, f"{url}/assets/{'/'.join(WHOLE.asset_key.path)}?view=checks"),
    ):
        if bool(words) != (name in incidents):
            yield Alert("failed" if words else "over", name, words, "", link)


def _steps(instance: dg.DagsterInstance, run: dg.DagsterRun, kind: dg.DagsterEventType) -> dict[str, Any]:
    """The run's events of that type, by step."""
    records = instance.get_records_for_run(run.run_id, of_type=kind).records
    return {str(r.event_log_entry.step_key): r.event_log_entry.dagster_event for r in records}
