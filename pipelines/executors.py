"""Where the steps of a run are run: one machine's process, its processes, a Celery queue, a Kubernetes cluster."""

import dagster as dg

from resources.errors import ExecutorError
from resources.settings import Settings


def executor(settings: Settings) -> dg.ExecutorDefinition:
    """The executor that MOBIVILLE_EXECUTOR names. Raises ExecutorError when its package is missing.

    In one process is the default: a process per step would cost more than the step.
    """
    try:
        match settings.executor:
            case "multiprocess":
                return dg.multiprocess_executor
            case "celery":
                return _celery(settings)
            case "k8s":
                from dagster_k8s import k8s_job_executor

                return k8s_job_executor  # image, secrets and volumes are those of the run launcher
            case _:
                return dg.in_process_executor
    except ModuleNotFoundError as error:
        extra = "kubernetes" if settings.executor == "k8s" else settings.executor
        raise ExecutorError(
            f"MOBIVILLE_EXECUTOR={settings.executor} needs {error.name}: pip install 'mobiville-warehouse[{extra}]'"
        ) from error


def celery_addresses(settings: Settings) -> dict[str, str]:
    """The addresses of the broker, and of what keeps results: Redis itself, or messages through RabbitMQ."""
    broker = settings.celery_broker.get_secret_value() if settings.celery_broker else ""
    return {"broker": broker, "backend": broker if broker.startswith("redis") else "rpc://"}


def _celery(settings: Settings) -> dg.ExecutorDefinition:
    from dagster_celery import celery_executor

    # An address may hold a password: Dagster reads it from the environment, and stores the variable's name alone.
    broker = settings.celery_broker and settings.celery_broker.get_secret_value()
    variable = {"env": "MOBIVILLE_CELERY_BROKER"}
    addresses = {n: variable if a == broker else a for n, a in celery_addresses(settings).items()}
    return celery_executor.configured(addresses)
