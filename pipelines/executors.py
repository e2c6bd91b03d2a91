"""Where the steps of a run are run: one machine's process, its processes, a Celery queue, a Kubernetes cluster."""

import os

import dagster as dg

from resources.settings import Settings


class ExecutorError(Exception):
    """The executor that is set cannot be used; the message says what is missing."""


def executor(settings: Settings) -> dg.ExecutorDefinition:
    """The executor that MOBIVILLE_EXECUTOR names. Raises ExecutorError when its package or its broker is missing.

    In one process is the default: a process per step would cost more than the step.
    """
    try:
        match settings.executor:
            case "multiprocess":
                return dg.multiprocess_executor
            case "celery":
                return _celery(settings)
            case "k8s":
                return _kubernetes()
            case _:
                return dg.in_process_executor
    except ModuleNotFoundError as error:
        extra = "kubernetes" if settings.executor == "k8s" else settings.executor
        raise ExecutorError(
            f"MOBIVILLE_EXECUTOR={settings.executor} needs {error.name}: pip install 'mobiville-warehouse[{extra}]'"
        ) from error


def _celery(settings: Settings) -> dg.ExecutorDefinition:
    from dagster_celery import celery_executor

    if settings.celery_broker is None:
        raise ExecutorError("MOBIVILLE_EXECUTOR=celery needs MOBIVILLE_CELERY_BROKER: redis://… or amqp://…")
    # The address may hold a password: Dagster reads it from the environment, and stores its name alone.
    broker = {"env": "MOBIVILLE_CELERY_BROKER"}
    backend = broker if settings.celery_broker.get_secret_value().startswith("redis") else "rpc://"
    return celery_executor.configured({"broker": broker, "backend": backend})


def _kubernetes() -> dg.ExecutorDefinition:
    from dagster_k8s import k8s_job_executor

    passed = sorted(name for name in os.environ if name.startswith("MOBIVILLE_"))
    return k8s_job_executor.configured({"env_vars": passed})
