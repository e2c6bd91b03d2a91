"""The raw files: found through the catalogue, hashed, read as typed rows under the names the code uses. Never edited.

Every reading comes with the audit of its rows: an import says in it how many it used and merged, and which it rejects,
and returns it with its table. Commune codes are today's, where there is a COG: see `resources.sources.geography`.
"""

import re
from collections.abc import Hashable, Iterable
from pathlib import Path
from typing import Any, Self

import dagster as dg
import pandas as pd
from pydantic import PrivateAttr

from resources.clients.jsonl_cache import CacheEntry, read_cache
from resources.errors import SourceError
from resources.sources import batches
from resources.sources.audit import MOST_KEPT, Reading, Reject, RowAudit
from resources.sources.catalogue import catalogue
from resources.sources.decompression import decoded
from resources.sources.field_types import parse
from resources.sources.files import is_regular
from resources.sources.geography import GEOGRAPHY, with_todays_codes
from resources.sources.reader import Reader
from resources.sources.records import json_content
from resources.sources.typed_rows import parsed


class RawData(dg.ConfigurableResource, Reader):  # type: ignore[type-arg]
    """The raw files, read. It keeps nothing of what it read."""

    folder: str
    dumps: str
    cache: str = ""
    _codes: pd.DataFrame = PrivateAttr(default_factory=pd.DataFrame)

    def in_geography(self, codes: pd.DataFrame) -> Self:
        """The same files, read in the geography of a COG: any commune code (code) is today's (current_code)."""
        found = self.model_copy()
        found._codes = codes
        return found

    def with_todays_codes(self, frame: pd.DataFrame, columns: Iterable[str], audit: RowAudit) -> pd.DataFrame:
        """Rows that `table` did not give, with today's commune codes, as `table` gives them."""
        return with_todays_codes(frame, list(columns), self._codes, audit)

    def table(self, source_id: str, path: Path | None = None) -> Reading[pd.DataFrame]:
        """A csv, XML or JSON source (of one with many files, the given one), typed, columns under the catalogue's
        names, NA where blank, indexed by the file's line (of XML and JSON: the record).

        Optional columns that the file does not have are NA. Rows that cannot be used are rejected. A commune's code is
        today's, the file's own stands beside it: insee_com, insee_com_of_file.

        Raises SourceError when the file is not what it should be, or more rows than may be cannot be used.
        """
        path = path or self.path(source_id)
        frame, audit = self.ahead(source_id, path, lambda: self.typed(source_id, path))
        columns = catalogue()[source_id].commune_columns if source_id != GEOGRAPHY else []
        return Reading(self.with_todays_codes(frame, columns, audit), audit)

    def reject_wrong(self, audit: RowAudit) -> None:
        """Look again at the rows that `batches` gave, and reject those whose fields are not what they should be.

        It stops where the file is to be refused whatever else is in it.
        """
        source, text = catalogue()[audit.source_id], audit.texts
        for frame in batches.exact_frames(source, self.path(audit.source_id)):
            of_piece = RowAudit(audit.source_id, audit.file, audit.location)
            parsed(source, frame, of_piece, ".", {str(column): str(column) for column in frame})
            audit.rejected |= of_piece.rejected
            bad = frame[frame.index.isin(list(of_piece.rejected))]
            text.update(zip(bad.index, map(";".join, bad.fillna("").to_numpy().tolist()), strict=True))
            if audit.errors > MOST_KEPT and audit.errors > source.max_rejected * audit.read:
                return

    def lines_of(self, audit: RowAudit, rows: pd.DataFrame) -> list[Hashable]:
        """Look again at the file that `batches` gave: the lines on which the codes of `rows` stand, `MOST_KEPT` at
        most; their text goes into the audit.
        """
        source, wanted = catalogue()[audit.source_id], pd.MultiIndex.from_frame(rows)
        found: list[Hashable] = []
        for frame in batches.exact_frames(source, self.path(audit.source_id)):
            codes = pd.DataFrame({name: parse(frame[name], source.types[str(name)]).values for name in rows})
            codes = self.with_todays_codes(codes, source.commune_columns, audit)[[*rows]]
            same = frame[pd.MultiIndex.from_frame(codes).isin(wanted)].head(MOST_KEPT - len(found))
            found += same.index.tolist()
            audit.texts |= dict(zip(same.index, map(";".join, same.fillna("").to_numpy().tolist()), strict=True))
        return found

    def texts(self, source_id: str) -> Reading[dict[str, str]]:
        """The files of a text source, decoded, by file name; {} if there are none. One that is no text is rejected."""
        source, paths = catalogue()[source_id], self.paths(source_id)
        audit = self.audit(source_id, "file", len(paths))
        found = {}
        for path in paths:
            try:
                found[path.name] = decoded(is_regular(path), source.layouts[0].encoding)
            except SourceError as error:
                audit.reject([path.name], Reject(str(error)))
        audit.check_share()
        if pattern := source.vintage_in_text:
            told = {match[1] for text in found.values() if (match := re.search(pattern, text))}
            audit.vintage = ", ".join(sorted(told)) or None
        return Reading(found, audit)

    def entries(self, source_id: str) -> Reading[dict[str, CacheEntry]]:
        """What an outside service answered, by code."""
        found = {code: entry for path in self.paths(source_id) for code, entry in read_cache(path).items()}
        return Reading(found, self.audit(source_id, "code", len(found)))

    def document(self, source_id: str) -> Any:
        """A JSON source."""
        return json_content(self.path(source_id), catalogue()[source_id].layouts[0].encoding)
