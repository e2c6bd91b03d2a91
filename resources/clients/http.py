"""HTTP as every client of an outside service uses it: bounded in time, in size and in tries.

Proxies and certificates are those of the usual environment variables (HTTPS_PROXY, NO_PROXY, REQUESTS_CA_BUNDLE).
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
PIECE_BYTES = 1 << 16
TRIED_AGAIN = frozenset({429, 500, 502, 503, 504})
CONNECTIONS = 16


class Bearer(AuthBase):
    """A token in the Authorization header, which requests takes off when a redirect leaves the host."""

    def __init__(self, token: str) -> None:
        self.token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self.token}"
        return request


class Pace:
    """At most one start in so many seconds, whichever the thread."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._next = 0.0
        self._lock = threading.Lock()

    def wait(self) -> None:
        """Return when it is one's turn."""
        with self._lock:
            now = time.monotonic()
            turn = max(now, self._next)
            self._next = turn + self._seconds
        time.sleep(turn - now)


@dataclass(frozen=True)
class Limits:
    """How long, how often and how much; seconds and bytes. The live answers of the API have tighter ones."""

    silence: float
    total: float
    tries: int
    pause: float
    longest_wait: float
    answer_bytes: int = 20 << 20

    @classmethod
    def of(cls, settings: Settings) -> "Limits":
        """Those of the settings."""
        return cls(
            silence=settings.http_timeout,
            total=settings.http_deadline,
            tries=settings.http_tries,
            pause=settings.http_pause,
            longest_wait=settings.http_longest_wait,
        )


class Http:
    """A session with outside services. Threads may share it."""

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
    def of(cls, settings: Settings) -> "Http":
        """With the limits and the contact of the settings."""
        return cls(Limits.of(settings), settings.contact)

    def json(
        self,
        method: str,
        url: str,
        service: str,
        *,
        busy: Callable[[Any], bool] = lambda value: False,
        **request: Any,
    ) -> tuple[int, Any]:
        """The status (2xx or 4xx) and the JSON of an answer, None where it has no body or is no success.

        `busy`: whether an answer means that the service has no time now (it is asked again). `request`: what
        `requests` takes (params, json, data, headers, auth, allow_redirects). Raises ServiceError.
        """

        def once() -> tuple[int, Any]:
            started = time.monotonic()
            with self.sent(method, url, service, **request) as response:
                if not 200 <= response.status_code < 300:
                    return response.status_code, None
                body = self.body(response, service, started)
                value = _parsed(body, response, service) if body else None
                if busy(value):
                    raise TransientError(f"{service} says that it is busy", wait=retry_after(response))
                return response.status_code, value

        return self.tried(once)

    def tried(self, once: Callable[[], T]) -> T:
        """What `once` returns, tried again after a TransientError: pauses that double, with jitter, or what the service
        asks for. Raises its last error, or one that says that the service asks for a longer wait than is allowed.
        """
        for number in range(self.limits.tries):
            try:
                return once()
            except TransientError as error:
                if number == self.limits.tries - 1:
                    raise
                if error.wait is not None and error.wait > self.limits.longest_wait:
                    raise ServiceError(
                        f"{error}; it asks to be left alone for {error.wait:.0f} s, longer than "
                        f"{self.limits.longest_wait:.0f} s: try again then",
                        status=error.status,
                    ) from error
                jittered = self.limits.pause * 2**number * random.uniform(0.5, 1.5)  # noqa: S311
                time.sleep(min(max(error.wait or 0.0, jittered), self.limits.longest_wait))
        raise AssertionError("the last try returns or raises")

    @contextmanager
    def sent(self, method: str, url: str, service: str, **request: Any) -> Iterator[requests.Response]:
        """An answer whose body is still to come. What goes wrong on the way, 429 and 5xx raise TransientError; a
        certificate that is not trusted, or an address that is none, ServiceError.
        """
        where = f"{service} ({urlsplit(url).netloc})"
        try:
            timeout = (min(CONNECT_SECONDS, self.limits.silence), self.limits.silence)
            with self._session.request(method, url, stream=True, timeout=timeout, **request) as response:
                if response.status_code in TRIED_AGAIN:
                    words = f"{where} answered {response.status_code} {response.reason}"
                    raise TransientError(words, status=response.status_code, wait=retry_after(response))
                yield response
        except requests.exceptions.SSLError as error:
            raise ServiceError(
                f"{where}: its certificate is not trusted. Behind a proxy that opens connections, REQUESTS_CA_BUNDLE "
                f"names the proxy's certificate ({_reason(error)})"
            ) from error
        except requests.exceptions.ProxyError as error:
            raise TransientError(
                f"{where}: the proxy lets nothing through, see HTTPS_PROXY ({_reason(error)})"
            ) from error
        except requests.Timeout as error:
            raise TransientError(f"{where} did not answer in {self.limits.silence:g} s") from error
        except (requests.exceptions.InvalidURL, requests.exceptions.MissingSchema, requests.TooManyRedirects) as error:
            raise ServiceError(f"{where}: {_reason(error)}") from error
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            raise TransientError(
                f"{where}: the connection failed or broke ({_reason(error)}). Is there a network, or a proxy to name "
                "in HTTPS_PROXY?"
            ) from error

    def body(self, response: requests.Response, service: str, started: float) -> bytes:
        """The body of an answer to a request of that moment (monotonic). Raises ServiceError when it is larger than an
        answer may be, TransientError when it takes longer.
        """
        body = bytearray()
        for piece in response.iter_content(PIECE_BYTES):
            body += piece
            if len(body) > self.limits.answer_bytes:
                raise ServiceError(f"{service} answered more than {self.limits.answer_bytes:,} bytes: not read on")
            if time.monotonic() - started > self.limits.total:
                raise TransientError(f"{service} was not done answering in {self.limits.total:g} s")
        return bytes(body)


def _parsed(body: bytes, response: requests.Response, service: str) -> Any:
    try:
        return json.loads(body)
    except ValueError as error:
        kind = response.headers.get("Content-Type", "no content type")
        raise TransientError(f"{service} answered no JSON but {kind}: {body[:80]!r}") from error


def _reason(error: BaseException) -> str:
    """The innermost cause, in its own words, which hold no header and so no token."""
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    return f"{type(error).__name__}: {error}"[:200]


def retry_after(response: requests.Response) -> float | None:
    """Seconds that an answer's Retry-After asks for, given in seconds or as a date; None where it has none."""
    text = response.headers.get("Retry-After", "").strip()
    if text.isdigit():
        return float(text)
    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, (date.astimezone(UTC) - datetime.now(UTC)).total_seconds())
