"""The staging area: one Parquet file per staged table, with the schema that `warehouse/tables.py` gives it."""

import hashlib
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

import dagster as dg
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from upath import UPath

from resources.atomic_files import atomic_write
from resources.errors import StagingError
from resources.failures import explained
from resources.sources.audit import REJECTS, RowAudit
from warehouse import tables
from warehouse.release import SourceFile

REJECTS_FOLDER = "rejects"
BEFORE_0_2 = {"place": "location", "fault": "is_error"}
"""Columns of the rejects table as version 0.1 named them, and their names now."""
SOURCES_KEY = b"mobiville.sources"
FINGERPRINT_KEY = b"mobiville.fingerprint"


@dataclass
class Staged:
    """What an asset hands to the staging area: rows, the files they were made from, and their fingerprint."""

    rows: pd.DataFrame
    sources: Sequence[SourceFile]
    fingerprint: str


def fingerprint(rules: str, inputs: Mapping[str, str]) -> str:
    """What stands for everything a staged table is made with: the rules' version, and of each input (a source, by its
    id, or a staged table) the sha256 or fingerprint. The same fingerprint, the same rows.
    """
    return hashlib.sha256(json.dumps([rules, sorted(inputs.items())]).encode()).hexdigest()


class Staging(dg.ConfigurableIOManager):
    """Writes and reads staged tables, in a folder or an object store (s3://…). A file is whole or not there."""

    folder: str

    def path(self, name: str) -> UPath:
        """The Parquet file of a staged table. Raises StagingError when it is not there."""
        path = UPath(self.folder) / f"{name}.parquet"
        if not path.is_file():
            raise StagingError(f"{name} is not staged yet: materialize it first ({path} is not there)")
        return path

    def sources(self, name: str) -> list[SourceFile]:
        """The raw files that a staged table was made from, those of its upstream tables included."""
        return [SourceFile(**source) for source in json.loads(self._known(name).get(SOURCES_KEY, b"[]"))]

    def fingerprint(self, name: str) -> str:
        """The fingerprint of a staged table; empty when it is not staged, or its file is not the one that was written:
        then it has to be rebuilt.
        """
        try:
            path = self.path(name)
            found = hashlib.sha256(path.read_bytes()).hexdigest()
            as_written = path.with_name(f"{path.name}.sha256").read_text() == found
            return self._known(name).get(FINGERPRINT_KEY, b"").decode() if as_written else ""
        except (StagingError, OSError):
            return ""

    def _known(self, name: str) -> dict[bytes, bytes]:
        with self.path(name).open("rb") as file:
            return pq.read_schema(file).metadata or {}

    def keep_rejects(self, asset: str, run_id: str, audits: Sequence[RowAudit]) -> None:
        """Keep the rows that an asset's run rejected, in the place of those of its run before."""
        rejects = pd.concat([pd.DataFrame(columns=REJECTS), *(audit.rejects() for audit in audits)])
        with atomic_write(UPath(self.folder) / REJECTS_FOLDER / f"{asset}.parquet") as file:
            rejects.assign(asset=asset, run_id=run_id).to_parquet(file, index=False)

    def rejects(self) -> pd.DataFrame:
        """The rejected rows of each asset's last run: `resources.sources.audit.REJECTS`, asset, run_id."""
        kept = sorted((UPath(self.folder) / REJECTS_FOLDER).glob("*.parquet"))
        empty = pd.DataFrame(columns=[*REJECTS, "asset", "run_id"])
        found = [pd.read_parquet(io.BytesIO(path.read_bytes())).rename(columns=BEFORE_0_2) for path in kept]
        return pd.concat([empty, *found], ignore_index=True)

    def rows(self, name: str) -> pd.DataFrame:
        """The rows of a staged table. Raises StagingError when it is not there."""
        with self.path(name).open("rb") as file:
            frame: pd.DataFrame = pq.read_table(file).to_pandas(types_mapper={pa.int64(): pd.Int64Dtype()}.get)
        return frame

    def handle_output(self, context: dg.OutputContext, obj: Staged) -> None:
        """Write a staged table. Raises Explained when the rows do not fit the table's description."""
        name = context.asset_key.path[-1]
        schema = tables.contents_schema(tables.described(context.definition_metadata["table"]))
        sources = json.dumps([asdict(source) for source in once(obj.sources)]).encode()
        known = {SOURCES_KEY: sources, FINGERPRINT_KEY: obj.fingerprint.encode()}
        with explained():
            table = fit(obj.rows, schema, name).replace_schema_metadata(known)
        written = io.BytesIO()
        pq.write_table(table, written)
        digest = hashlib.sha256(written.getbuffer()).hexdigest().encode()
        for suffix, content in (("parquet", written.getbuffer()), ("parquet.sha256", digest)):
            with atomic_write(UPath(self.folder) / f"{name}.{suffix}") as file:
                file.write(content)

    def load_input(self, context: dg.InputContext) -> pd.DataFrame:
        """Read a staged table. Raises Explained when it is not there."""
        with explained():
            return self.rows(context.asset_key.path[-1])


def once(files: Iterable[SourceFile]) -> list[SourceFile]:
    """Each file once, of what several imports say of it the last."""
    return sorted({(file.source_id, file.file_name): file for file in files}.values())


def fit(rows: pd.DataFrame, schema: pa.Schema, name: str) -> pa.Table:
    """Rows as the schema has them: its columns, in its order, those that nothing fills NULL.

    Raises StagingError for a column the schema does not know, a value of another type, a NULL where none may be.
    """
    unknown = sorted(set(rows.columns) - set(schema.names))
    if unknown:
        raise StagingError(f"{name}: warehouse/tables.py has no column {', '.join(unknown)}")
    columns = rows.reindex(columns=schema.names)
    for field in schema:
        empty = columns[field.name].isna().sum()
        if empty and not field.nullable:
            raise StagingError(f"{name}: {empty} rows have no {field.name}, which every row must have")
    try:
        return pa.Table.from_pandas(columns, schema, preserve_index=False)
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise StagingError(f"{name}: {'; '.join(map(str, error.args))}") from error
