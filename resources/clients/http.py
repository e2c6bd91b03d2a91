"""HTTP for every client of an outside service, with limits on time, size and number of tries.

Proxies and certificates come from the usual environment variables (HTTPS_PROXY, NO_PROXY, REQUESTS_CA_BUNDLE).
"""

import json
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.cookiejar import DefaultCookiePolicy
from importlib.metadata import version
from typing import Any, TypeVar
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase

from resources.errors import ServiceError, TransientError
from resources.settings import Settings

T = TypeVar("T")

CONNECT_SECONDS = 10.0
CHUNK_BYTES = 1 << 16
RETRIED_STATUSES = frozenset({429, 500, 502, 503, 504})
CONNECTIONS = 16


class Bearer(AuthBase):
    """A token in the Authorization header. `requests` removes it when a redirect leads to another host."""

    def __init__(self, token: str) -> None:
        self.token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self.token}"
        return request


class RateLimiter:
    """Spaces requests at least so many seconds apart, across all threads."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._next = 0.0
        self._lock = threading.Lock()

    def wait(self) -> None:
        """Return when the next request may start."""
        with self._lock:
            now = time.monotonic()
            turn = max(now, self._next)
            self._next = turn + self._seconds
        time.sleep(turn - now)


@dataclass(frozen=True)
class Limits:
    """Limits on a request, in seconds and bytes. The live routes of the read API have tighter ones.

    silence: how long no byte may arrive; total: how long a whole response may take; tries: the first included; pause:
    before the second try, doubled for each next one; longest_wait: the longest wait that a service may ask for.
    """

    silence: float
    total: float
    tries: int
    pause: float
    longest_wait: float
    response_bytes: int = 20 << 20

    @classmethod
    def from_settings(cls, settings: Settings) -> "Limits":
        """The limits that the settings give."""
        return cls(
            silence=settings.http_timeout,
            total=settings.http_deadline,
            tries=settings.http_tries,
            pause=settings.http_pause,
            longest_wait=settings.http_longest_wait,
        )


class Http:
    """A session with outside services. Threads can share it."""

    def __init__(self, limits: Limits, contact: str = "") -> None:
        self.limits = limits
        self._session = requests.Session()
        self._session.headers["User-Agent"] = (
            f"mobiville-warehouse/{version('mobiville-warehouse')} ({contact or 'no contact set'}) "
            f"requests/{requests.__version__}"
        )
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, HTTPAdapter(pool_maxsize=CONNECTIONS))

    @classmethod
    def from_settings(cls, settings: Settings) -> "Http":
        """With the limits and the contact of the settings."""
        return cls(Limits.from_settings(settings), settings.contact)

    def json(
        self,
        method: str,
        url: str,
        service: str,
        *,
        busy: Callable[[Any], bool] = lambda value: False,
        **request: Any,
    ) -> tuple[int, Any]:
        """The status (2xx, 3xx or 4xx) and the JSON of a response; None without a body or if the status is not 2xx.

        `busy`: whether the JSON means that the service is busy, so that the request is retried. `request`: arguments of
        `requests` (params, json, data, headers, auth, allow_redirects). Raises ServiceError.
        """

        def attempt() -> tuple[int, Any]:
            started = time.monotonic()
            with self.stream(method, url, service, **request) as response:
                if not 200 <= response.status_code < 300:
                    return response.status_code, None
                body = self.body(response, service, started)
                value = _parsed(body, response, service) if body else None
                if busy(value):
                    raise TransientError(f"{service} is busy", wait=retry_after(response))
                return response.status_code, value

        return self.with_retries(attempt)

    def with_retries(self, attempt: Callable[[], T]) -> T:
        """What `attempt` returns; it is retried after a TransientError, with exponential backoff and jitter, or after
        the wait that the service asks for.

        Raises the last error; ServiceError at once if the service asks for a longer wait than `longest_wait`.
        """
        for number in range(self.limits.tries):
            try:
                return attempt()
            except TransientError as error:
                if number == self.limits.tries - 1:
                    raise
                if error.wait is not None and error.wait > self.limits.longest_wait:
                    raise ServiceError(
                        f"{error}; it asks to wait {error.wait:.0f} s, longer than "
                        f"{self.limits.longest_wait:.0f} s: try again later",
                        status=error.status,
                    ) from error
                jittered = self.limits.pause * 2**number * random.uniform(0.5, 1.5)  # noqa: S311
                time.sleep(min(max(error.wait or 0.0, jittered), self.limits.longest_wait))
        raise AssertionError("the last try returns or raises")

    @contextmanager
    def stream(self, method: str, url: str, service: str, **request: Any) -> Iterator[requests.Response]:
        """A response whose body is not read yet.

        Raises TransientError for a network failure, 429 and 5xx; ServiceError for an untrusted certificate or bad URL.
        """
        where = f"{service} ({urlsplit(url).netloc})"
        try:
            timeout = (min(CONNECT_SECONDS, self.limits.silence), self.limits.silence)
            with self._session.request(method, url, stream=True, timeout=timeout, **request) as response:
                if response.status_code in RETRIED_STATUSES:
                    words = f"{where} answered {response.status_code} {response.reason}"
                    raise TransientError(words, status=response.status_code, wait=retry_after(response))
                yield response
        except requests.exceptions.SSLError as error:
            raise ServiceError(
                f"{where}: its certificate is not trusted. Behind a proxy that decrypts traffic, set "
                f"REQUESTS_CA_BUNDLE to the file of the proxy's certificate ({_reason(error)})"
            ) from error
        except requests.exceptions.ProxyError as error:
            raise TransientError(
                f"{where}: the proxy refuses the connection, check HTTPS_PROXY ({_reason(error)})"
            ) from error
        except requests.Timeout as error:
            raise TransientError(f"{where} did not respond within {self.limits.silence:g} s") from error
        except (requests.exceptions.InvalidURL, requests.exceptions.MissingSchema, requests.TooManyRedirects) as error:
            raise ServiceError(f"{where}: {_reason(error)}") from error
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            raise TransientError(
                f"{where}: the connection failed or broke ({_reason(error)}). Check the network, and "
                "HTTPS_PROXY if there is a proxy"
            ) from error

    def body(self, response: requests.Response, service: str, started: float) -> bytes:
        """The body of a response to a request made at `started` (`time.monotonic`).

        Raises ServiceError if it is larger than `response_bytes`, TransientError if it takes longer than `total`.
        """
        body = bytearray()
        for chunk in response.iter_content(CHUNK_BYTES):
            body += chunk
            if len(body) > self.limits.response_bytes:
                raise ServiceError(
                    f"{service} sent more than {self.limits.response_bytes:,} bytes: the response is dropped"
                )
            if time.monotonic() - started > self.limits.total:
                raise TransientError(f"{service} did not finish its response within {self.limits.total:g} s")
        return bytes(body)


def _parsed(body: bytes, response: requests.Response, service: str) -> Any:
    try:
        return json.loads(body)
    except ValueError as error:
        kind = response.headers.get("Content-Type", "no content type")
        raise TransientError(f"{service} sent {kind} instead of JSON: {body[:80]!r}") from error


def _reason(error: BaseException) -> str:
    """The message of the innermost cause, which contains no header and so no token."""
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    return f"{type(error).__name__}: {error}"[:200]


def retry_after(response: requests.Response) -> float | None:
    """The wait that a response's Retry-After header asks for (seconds, or a date), in seconds; None without one."""
    text = response.headers.get("Retry-After", "").strip()
    if text.isdigit():
        return float(text)
    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, (date.astimezone(UTC) - datetime.now(UTC)).total_seconds())
