"""What is said and shown of a staged table: its first rows, its files, what became of their rows."""

from collections.abc import Sequence
from typing import Any

import dagster as dg
import pandas as pd

from resources.raw_data import RawData
from resources.sources.audit import RowAudit
from resources.sources.catalogue import catalogue
from warehouse.record import geography
from warehouse.release import SourceFile

PREVIEW_ROWS = 5
PREVIEW_CHARACTERS = 80


def absent(raw_data: RawData, sources: Sequence[str]) -> list[str]:
    """What follows from each optional source that is not there."""
    return [
        f"no file for {source}: {catalogue()[source].without}"
        for source in sources
        if not catalogue()[source].required and not raw_data.has(source)
    ]


def audited(audits: Sequence[RowAudit]) -> list[str]:
    """What there is to say of the rows of each source: rejected, repaired, columns that its vintage does not have."""
    said = []
    for audit in audits:
        rejected = "; ".join(f"{number:,} {reason}" for reason, number in audit.by_reason().items())
        if rejected:
            said.append(f"{audit.source_id}: {audit.rows_rejected:,} of {audit.read:,} rows rejected: {rejected}")
        if audit.repairs:
            repaired = ", ".join(f"{what} ({number:,})" for what, number in audit.repairs.items())
            said.append(f"{audit.source_id}, repaired: {repaired}")
        if audit.former_codes or audit.unknown_codes:
            unknown = f": {', '.join(sorted(audit.unknown_codes)[:3])}" if audit.unknown_codes else ""
            said.append(
                f"{audit.source_id}: {len(audit.former_codes):,} commune codes are former ones, of communes "
                f"that are in others now; {len(audit.unknown_codes):,} are unknown to the COG{unknown}"
            )
        if audit.absent:
            said.append(f"{audit.file} has no {', '.join(audit.absent)}: NULL")
    return said


def counted(audits: Sequence[RowAudit]) -> dict[str, Any]:
    """What became of the rows of each source, and the first of those rejected, as Dagster shows them."""
    if not any(audit.read for audit in audits):
        return {}
    counts = [
        dg.TableRecord(
            {
                "source": audit.source_id,
                "read": audit.read,
                "used": audit.used,
                "merged": audit.merged,
                "rejected": audit.rows_rejected,
                "former commune codes": len(audit.former_codes),
                "unknown commune codes": len(audit.unknown_codes),
            }
        )
        for audit in audits
        if audit.read
    ]
    first = pd.concat([audit.rejects().head(PREVIEW_ROWS) for audit in audits])
    shown = first[["source", "location", "line", "row", "reason"]].to_dict("records")
    rejects = [dg.TableRecord({str(k): str(v)[:PREVIEW_CHARACTERS] for k, v in row.items()}) for row in shown]
    seen: dict[str, Any] = {
        "rows of the sources": dg.MetadataValue.table(counts),
        "rows rejected": sum(audit.rows_rejected for audit in audits),
    }
    return seen | ({"rejects: the first rows": dg.MetadataValue.table(rejects)} if rejects else {})


def seen_of(frame: pd.DataFrame, files: Sequence[SourceFile], notes: Sequence[str]) -> dict[str, Any]:
    """What one sees of a staged table in the UI."""
    head = frame.head(PREVIEW_ROWS)
    records = [
        dg.TableRecord({str(key): str(value)[:PREVIEW_CHARACTERS] for key, value in row.items()})
        for row in head.to_dict("records")
    ]
    schema = dg.TableSchema([dg.TableColumn(str(name), str(dtype)) for name, dtype in head.dtypes.items()])
    seen: dict[str, Any] = {
        "dagster/row_count": len(frame),
        "preview": dg.MetadataValue.table(records, schema),
        "sources": dg.MetadataValue.md(
            "\n".join(f"- {file.file_name} ({file.vintage}), sha256 `{file.sha256}`" for file in files)
        ),
    }
    if words := geography(files):
        seen["geography"] = words
    return seen | ({"notes": dg.MetadataValue.md("\n".join(f"- {note}" for note in notes))} if notes else {})
