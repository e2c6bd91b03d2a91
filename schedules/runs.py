"""The runs that Dagster knows of: those whose process is gone are ended, old ones deleted, those that hang named."""

import json
import os
import re
import socket
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
from dagster._core.errors import DagsterUserCodeUnreachableError
from dagster._core.storage.tags import GRPC_INFO_TAG
from dagster._grpc.client import DagsterGrpcClient
from dagster._grpc.types import CanCancelExecutionRequest, CanCancelExecutionResult

PROCESS = "mobiville/process"
"""Tag of a run of a command: the machine and the number of the process that it lives in."""
STARTED_PROCESS = r"Started process for run \(pid: (\d+)\)"
"""What Dagster's server says in the log of a run that it starts."""
UNDER_WAY = [dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]
ENDED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]
LONGEST = timedelta(hours=3)
"""How long a run may wait or run: the longest, of real files, take minutes, and a fetch of all of them an hour."""


def end_dead_runs(instance: dg.DagsterInstance, echo: Callable[[str], None]) -> None:
    """End the runs whose process is gone, and say so.

    A run that stays started holds up all others of its pool for ever: of these there is one at a time.
    """
    for run in instance.get_runs(dg.RunsFilter(statuses=UNDER_WAY)):
        host, _, number = run.tags.get(PROCESS, "").rpartition(":")
        dead = host == socket.gethostname() and not _is_alive(int(number))
        if GRPC_INFO_TAG in run.tags:
            dead = _is_lost(instance, run)
        now = instance.get_run_by_id(run.run_id)
        if dead and now and now.status in UNDER_WAY:  # it may have ended meanwhile
            instance.report_run_failed(now, "its process is gone: it was killed, or the machine was switched off")
            echo(f"run {run.run_id[:8]} was killed before its end, and is noted as failed")


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # another account's
    return True


def _is_lost(instance: dg.DagsterInstance, run: dg.DagsterRun) -> bool:
    """Whether the server that a run of the UI, a schedule or a sensor was started in is gone, or knows it no longer."""
    server = DagsterGrpcClient(**json.loads(run.tags[GRPC_INFO_TAG]))
    try:
        answer = server.can_cancel_execution(CanCancelExecutionRequest(run_id=run.run_id))
    except DagsterUserCodeUnreachableError:
        return server.host == "localhost" and not _goes_on(instance, run)  # another machine's may be there all the same
    known = dg.deserialize_value(answer, CanCancelExecutionResult).can_cancel
    return not known and run.status == dg.DagsterRunStatus.STARTED


def _goes_on(instance: dg.DagsterInstance, run: dg.DagsterRun) -> bool:
    """Whether the process of a run outlived the server that started it; where there is no /proc nobody can tell."""
    events = instance.get_records_for_run(run.run_id, of_type=dg.DagsterEventType.ENGINE_EVENT).records
    told = re.findall(STARTED_PROCESS, " ".join(event.event_log_entry.message for event in events))
    files = [Path(f"/proc/{number}/cmdline") for number in told]
    try:  # by now the number may be that of a process of another kind
        return any(b"multiprocessing" in file.read_bytes() for file in files if file.exists())
    except OSError:  # it ended meanwhile
        return False


def delete_old_runs(instance: dg.DagsterInstance, keep: int) -> None:
    """Delete all but the newest `keep` runs that ended, with their logs; never the one that last made an asset."""
    old = instance.get_run_ids(dg.RunsFilter(statuses=ENDED))[keep:]
    if not old:
        return
    made = [record.asset_entry.last_materialization_record for record in instance.get_asset_records()]
    for run_id in set(old) - {record.run_id for record in made if record}:
        instance.delete_run(run_id)
        instance.compute_log_manager.delete_logs(prefix=[run_id])
        if path_for := getattr(instance.event_log_storage, "path_for_shard", None):  # SQLite: a file of each run
            for journal in ("", "-wal", "-shm"):
                Path(f"{path_for(run_id)}{journal}").unlink(missing_ok=True)


def hanging(instance: dg.DagsterInstance) -> str:
    """The run that holds up the queue, in words; empty while all goes on."""
    before = datetime.now(UTC) - LONGEST
    waiting = [*UNDER_WAY, dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.NOT_STARTED]
    found = instance.get_run_records(dg.RunsFilter(statuses=waiting, created_before=before), limit=1, ascending=True)
    return "".join(
        f"run {record.dagster_run.run_id[:8]} of {record.dagster_run.job_name}, asked for at "
        f"{record.create_timestamp:%Y-%m-%d %H:%M} UTC, is still {record.dagster_run.status.value}, and others wait "
        "behind it: look at its log in the UI; if nothing moves there, terminate it on the page Runs"
        for record in found
    )
