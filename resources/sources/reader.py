"""The rows of raw files as text and as what the catalogue says they are, in the geography of the file."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from resources.sources import batches
from resources.sources.audit import Reading, Reject, RowAudit
from resources.sources.catalogue import catalogue
from resources.sources.delimited import recognised
from resources.sources.files import RawFiles, vintage
from resources.sources.records import json_records, typed_records, xml_items
from resources.sources.typed_rows import typed


@dataclass
class Begun:
    """A reading that began before a step asks for it, and how many steps will."""

    reading: Future[Reading[Any]]
    steps: int


AHEAD: dict[Path, Begun] = {}
"""What this process reads already, by the file: see `pipelines.ahead`."""


class Reader(RawFiles):
    """Raw files, read. Dagster, which takes a second to import, is not needed for that."""

    def audit(self, source_id: str, location: str = "line", read: int = 0, path: Path | None = None) -> RowAudit:
        """An audit that says nothing yet of the rows of a source; of no rows, where it is there and not read."""
        source = catalogue()[source_id]
        file = path.name if path else source.files[0] if source.many else self.path(source_id).name
        return RowAudit(source_id, file, location, read, vintage=vintage(source, file))

    def typed(self, source_id: str, path: Path) -> Reading[pd.DataFrame]:
        """The rows of a file as `table` gives them, with the file's own commune codes alone."""
        source = catalogue()[source_id]
        if path.suffix in (".xml", ".json"):
            items = xml_items(path) if path.suffix == ".xml" else json_records(path, source.layouts[0])
            return typed_records(source, path, items, self.audit(source_id, "record", len(items)))
        file = recognised(path, source)
        frame, wrong = file.frame()
        audit = self.audit(source_id, "line", len(frame) + len(wrong), path)
        by_line = isinstance(frame.index, pd.RangeIndex)
        audit.text_of = cache(lambda locations: file.texts(locations, line_by_line=by_line))
        audit.repairs |= file.repairs
        audit.vintage = audit.vintage or file.vintage()
        for row in wrong:
            audit.reject([row.line], Reject(row.error or ""))
        return typed(source, file.layout, frame, audit, file.names)

    def batches(self, source_id: str) -> Reading[Iterator[pa.Table]]:
        """A csv or Parquet source in bounded pieces: its required columns only, as text, not looked at. The audit knows
        how many rows there are once the last piece has passed.
        """
        audit = self.audit(source_id)
        return Reading(batches.pieces(catalogue()[source_id], self.path(source_id), audit), audit)

    def ahead(self, source_id: str, path: Path, read: Callable[[], Reading[Any]]) -> Reading[Any]:
        """What was read of a file ahead, with an audit of one's own; what `read` gives where nothing was."""
        if not (begun := AHEAD.get(path)):
            return read()
        rows, audit = begun.reading.result()
        begun.steps -= 1
        if not begun.steps:  # nobody else needs the memory
            del AHEAD[path]
        return Reading(rows, replace(deepcopy(audit), source_id=source_id))
