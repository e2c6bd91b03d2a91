"""Where the steps of a run execute: in one process, in several, through a Celery queue, or on Kubernetes."""

import dagster as dg

from resources.errors import ExecutorError
from resources.settings import Settings


def executor(settings: Settings) -> dg.ExecutorDefinition:
    """The executor that MOBIVILLE_EXECUTOR names. Raises ExecutorError if its package is missing.

    The default is one process: starting a process per step would take longer than the step.
    """
    try:
        match settings.executor:
            case "multiprocess":
                return dg.multiprocess_executor
            case "celery":
                return _celery(settings)
            case "k8s":
                from dagster_k8s import k8s_job_executor

                return k8s_job_executor  # with the run launcher's image, secrets and volumes
            case _:
                return dg.in_process_executor
    except ModuleNotFoundError as error:
        extra = "kubernetes" if settings.executor == "k8s" else settings.executor
        raise ExecutorError(
            f"MOBIVILLE_EXECUTOR={settings.executor} needs {error.name}: pip install 'mobiville-warehouse[{extra}]'"
        ) from error


def celery_addresses(settings: Settings) -> dict[str, str]:
    """URLs of the broker and of the result backend: Redis itself, or messages through RabbitMQ."""
    broker = settings.celery_broker.get_secret_value() if settings.celery_broker else ""
    return {"broker": broker, "backend": broker if broker.startswith("redis") else "rpc://"}


def _celery(settings: Settings) -> dg.ExecutorDefinition:
    from dagster_celery import celery_executor

    # The URL may hold a password: Dagster reads it from the environment, and stores only the variable's name.
    broker = settings.celery_broker and settings.celery_broker.get_secret_value()
    variable = {"env": "MOBIVILLE_CELERY_BROKER"}
    addresses = {n: variable if a == broker else a for n, a in celery_addresses(settings).items()}
    return celery_executor.configured(addresses)
