"""Questions to outside services: each asked by one thread for all who wait for it, its answer kept for a day.

Each service has threads, a queue and a pace of its own. A request waits for them without holding a thread, so a slow
service holds up neither the others nor what the warehouse answers.
"""

import asyncio
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

from resources.clients.france_travail import FranceTravail
from resources.clients.http import Http, Limits, RateLimiter
from resources.errors import NoCredentialsError, ServiceError
from resources.settings import Settings

KEPT_SECONDS = 24 * 3600
KEPT_FAILURE_SECONDS = 10
"""A question that failed is not asked again so soon: a service that is down is left alone."""

MOST_KEPT = 10_000
"""Answers at most, per worker; the oldest go first."""

ANSWER_SECONDS = 1.8
"""How long a request waits. The answer, when it comes later, is kept for the next one."""

LIMITS = Limits(silence=4, total=6, tries=2, pause=0.2, longest_wait=2, response_bytes=5 << 20)

THREADS = {"offers": 8, "market": 6, "hiring": 4, "companies": 4}
"""Per service."""

A_SECOND = {"offers": 10, "market": 10, "hiring": 10, "companies": 2}
"""Requests, as the services allow."""

MOST_WAITING = 100
"""Questions to a service that wait or are asked; more are refused at once."""


@dataclass
class _Kept:
    answer: Future[Any]
    until: float


class Live:
    """What outside services answer now, or answered within a day. Asked from the event loop alone."""

    def __init__(self, settings: Settings) -> None:
        self.client = FranceTravail(settings, Http(LIMITS, settings.contact))
        self._pools = {name: ThreadPoolExecutor(number, thread_name_prefix=name) for name, number in THREADS.items()}
        self._paces = {name: RateLimiter(1 / number) for name, number in A_SECOND.items()}
        self._waiting = {name: threading.BoundedSemaphore(MOST_WAITING) for name in THREADS}
        self._kept: OrderedDict[Hashable, _Kept] = OrderedDict()

    async def ask(self, service: str, key: Hashable, question: Callable[[], Any]) -> Any:
        """The answer to a question, asked once for all who ask it meanwhile and for a day.

        Raises NoCredentialsError when there are none to ask with, and ServiceError when the service failed, is too
        slow, or has too many questions waiting.
        """
        if not self.client.has_credentials:
            raise NoCredentialsError("France Travail is not asked: no credentials are set")
        kept = self._kept.get((service, key))
        if kept is None or time.monotonic() >= kept.until:
            kept = self._kept[service, key] = _Kept(self.submit(service, question), time.monotonic() + KEPT_SECONDS)
            kept.answer.add_done_callback(partial(_shorten, kept))
            self._kept.move_to_end((service, key))
            if len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
        try:
            return await asyncio.wait_for(asyncio.shield(asyncio.wrap_future(kept.answer)), ANSWER_SECONDS)
        except TimeoutError:
            raise ServiceError(f"{service} did not answer in {ANSWER_SECONDS} s") from None

    def submit(self, service: str, question: Callable[[], Any]) -> Future[Any]:
        """The answer to come, at the service's pace. Raises ServiceError when too many questions wait already."""
        waiting, pace = self._waiting[service], self._paces[service]
        if not waiting.acquire(blocking=False):
            raise ServiceError(f"{service}: too many questions wait")

        def asked() -> Any:
            pace.wait()
            return question()

        future = self._pools[service].submit(asked)
        future.add_done_callback(lambda _: waiting.release())
        return future

    def close(self) -> None:
        """Ask nothing more."""
        for pool in self._pools.values():
            pool.shutdown(wait=False, cancel_futures=True)


def _shorten(kept: _Kept, answer: Future[Any]) -> None:
    if answer.cancelled() or answer.exception():
        kept.until = time.monotonic() + KEPT_FAILURE_SECONDS
