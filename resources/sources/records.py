"""JSON and XML files as lists of records."""

import json
import math
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import defusedxml
import defusedxml.ElementTree
import pandas as pd

from resources.errors import SourceError
from resources.sources.audit import Reading, Reject, RowAudit
from resources.sources.catalogue import Source
from resources.sources.decompression import decoded, sniff_header
from resources.sources.delimited import check_header
from resources.sources.typed_rows import typed


def typed_records(source: Source, path: Path, records: list[dict[str, Any]], audit: RowAudit) -> Reading[pd.DataFrame]:
    """Records as a table, see `typed`, indexed by the record's number, the first being 1."""
    layout = source.layouts[0]
    header = list(dict.fromkeys(key for record in records for key in record))
    if records:
        check_header(path, [layout], header)
    audit.text_of = lambda locations: {
        at: json.dumps(records[at - 1], ensure_ascii=False, default=str) for at in locations if isinstance(at, int)
    }
    names = layout.match(header)
    columns = {column: [_as_text(record.get(key)) for record in records] for column, key in names.items()}
    nested = [at for at in range(1, len(records) + 1) if any(values[at - 1] is ... for values in columns.values())]
    audit.reject(nested, Reject("expected a text or a number in each field, found a list or an object"))
    frame = pd.DataFrame(columns, index=pd.RangeIndex(1, 1 + len(records), name="record"))
    return typed(source, layout, frame.drop(index=nested).astype("str"), audit, names)


def _as_text(value: Any) -> Any:
    """A JSON value as a text; None for null; the ellipsis for what is no single value."""
    if isinstance(value, dict | list):
        return ...
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return None
    return value if isinstance(value, str) else str(value)


def json_content(path: Path, encoding: str) -> Any:
    """The content of a JSON file. Raises SourceError that names the line where it is none."""
    try:
        return json.loads(decoded(path, encoding))
    except json.JSONDecodeError as error:
        raise SourceError(f"{path.name}: expected JSON, line {error.lineno}: {error.msg}. Fetch it again") from error
    except RecursionError as error:
        raise SourceError(f"{path.name}: expected JSON of a few levels, found endless ones") from error


def json_records(content: Any, file: str, *keys: str) -> list[dict[str, Any]]:
    """The list of objects under the first key (none: the content itself); of each, the object under the second."""
    for key in keys[:1]:
        content = content.get(key) if isinstance(content, dict) else None
    if isinstance(content, list) and keys[1:]:
        content = [record.get(keys[1]) if isinstance(record, dict) else None for record in content]
    if not isinstance(content, list) or not all(isinstance(record, dict) for record in content):
        raise SourceError(f"{file}: expected a list of objects under {' / '.join(keys) or 'the top'}. Fetch it again")
    return content


def xml_items(path: Path) -> list[dict[str, Any]]:
    """The items of an XML file of the ROME archive, each a dict of its elements."""
    sniff_header(path)
    try:
        with path.open("rb") as file:
            root = defusedxml.ElementTree.parse(file).getroot()
    except (ElementTree.ParseError, defusedxml.DefusedXmlException, ValueError, OSError) as error:
        raise SourceError(f"{path.name}: expected XML: {error}. Fetch it again") from error
    return [{element.tag: element.text for element in item} for item in root or ()]
