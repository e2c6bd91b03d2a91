"""The errors of the assets and of what they are given. The whole tree is drawn in `warehouse/errors.py`."""

from typing import Any

from warehouse.errors import MobivilleError


class CatalogueError(MobivilleError):
    """raw_data/sources.yaml is not valid; the message names each source and key that is wrong."""


class SourceError(MobivilleError):
    """A raw file is missing or cannot be read; the message names the file, the line and what was found there."""


class RejectedRowsError(SourceError):
    """More rows of a file are rejected than the catalogue allows. `audit`: the RowAudit that has them."""

    def __init__(self, message: str, *, audit: Any, **facts: Any) -> None:
        super().__init__(message, **facts)
        self.audit = audit


class AuditError(MobivilleError):
    """An import does not say what became of the rows of its sources; the message names them, and what to return."""


class StagingError(MobivilleError):
    """A table is not staged, or rows do not fit the table's description; the message says which and why."""


class ValidationError(MobivilleError):
    """Rows fail an expectation; the message says which one, how many rows fail, and the first of them."""


class FetchError(MobivilleError):
    """Nothing can be fetched under the present conditions; the message says what to do."""


class RefusedError(MobivilleError):
    """A downloaded file is not what the catalogue describes; the message says why."""


class ServiceError(MobivilleError):
    """An outside service did not respond as it should; the message names it, what it sent and what to do.

    `status`: the HTTP status, if there was one.
    """

    def __init__(self, message: str, *, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class TransientError(ServiceError):
    """A failure that may be gone on a retry. `wait`: seconds that the service asks for, if it does."""

    def __init__(self, message: str, *, status: int | None = None, wait: float | None = None) -> None:
        super().__init__(message, status=status)
        self.wait = wait


class NoCredentialsError(ServiceError):
    """MOBIVILLE_FT_CLIENT_ID and MOBIVILLE_FT_CLIENT_SECRET are not set."""


class CacheError(MobivilleError):
    """A cache cannot be written; the message says why."""


class UnknownAssetError(MobivilleError):
    """A name is neither an import's nor a table's; the message lists the valid names."""


class ExecutorError(MobivilleError):
    """The executor that is set cannot be used; the message says what is missing."""


def names(error: type[MobivilleError] = MobivilleError) -> set[str]:
    """The names of an error class and of all that derive from it, as a traceback gives them: `resources.errors.…`."""
    return {f"{error.__module__}.{error.__qualname__}"}.union(*map(names, error.__subclasses__()))
