"""JSON and XML files as lists of records."""

import json
import math
from contextlib import suppress
from itertools import chain
from pathlib import Path
from types import NoneType
from typing import Any

import defusedxml.ElementTree
import pandas as pd

from resources.errors import SourceError
from resources.sources.audit import Reading, Reject, RowAudit
from resources.sources.catalogue import Layout, Source
from resources.sources.decompression import decoded, readable_as
from resources.sources.delimited import matched
from resources.sources.field_types import LISTS
from resources.sources.typed_rows import typed

LARGEST_NUMBER = 1e15
"""A number beyond it has digits that a float would lose."""
MOST_DIGITS = 15
"""A whole number of so many characters is not beyond it."""


def typed_records(source: Source, path: Path, records: list[dict[str, Any]], audit: RowAudit) -> Reading[pd.DataFrame]:
    """Records as a table, see `typed`, indexed by the record's number, the first being 1."""
    layout = source.layouts[0]
    header = list(dict.fromkeys(chain.from_iterable(records)))
    audit.text_of = lambda locations: {
        at: json.dumps(records[at - 1], ensure_ascii=False, default=str) for at in locations if isinstance(at, int)
    }
    names = matched(path, layout, header) if records else {}
    columns = {
        column: _as_texts([record.get(key) for record in records], listed=source.types.get(column) in LISTS)
        for column, key in names.items()
    }
    nested = sorted({at for values in columns.values() for at, value in enumerate(values, 1) if value is ...})
    audit.reject(nested, Reject("expected a text or a number in each field, found a list or an object"))
    frame = pd.DataFrame(columns, index=pd.RangeIndex(1, 1 + len(records), name="record"))
    return typed(source, layout, frame.drop(index=nested).astype("str"), audit, names)


def _as_texts(values: list[Any], *, listed: bool) -> list[Any]:
    """JSON values as texts, see `_as_text`; most are texts, whole numbers or lists of texts."""
    kinds = set(map(type, values)) - {NoneType}
    if listed and kinds == {list}:
        with suppress(TypeError):  # a list of something else
            return [value if value is None else "/".join(value) for value in values]
    if kinds == {int}:
        return [value if value is None else str(value) for value in values]
    return values if kinds <= {str} else [_as_text(value, listed=listed) for value in values]


def _as_text(value: Any, *, listed: bool = False) -> Any:
    """A JSON value as a text; None for null; the ellipsis for what is no single value. A list may be one of texts where
    the column has several codes: they are joined by `/`.
    """
    if isinstance(value, str):
        return value
    if listed and isinstance(value, list) and all(isinstance(code, str) for code in value):
        return "/".join(value)
    if isinstance(value, dict | list):
        return ...
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return None
    return str(value)


def json_content(path: Path, encoding: str) -> Any:
    """The content of a JSON file. Raises SourceError that names the line where it is none."""
    text = decoded(path, encoding)
    with readable_as("JSON", path):
        return json.loads(text, object_pairs_hook=_object, parse_int=_whole, parse_float=_number)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object. Raises ValueError when a key stands twice in it: one value would silently beat the other."""
    found = dict(pairs)
    if len(found) < len(pairs):
        again = sorted({key for key, _ in pairs if [k for k, _ in pairs].count(key) > 1})
        raise ValueError(f"{', '.join(again)} stands twice in the object {str(found)[:80]}")
    return found


def _number(text: str) -> Any:
    """A JSON number; one that no column could hold stays the text it is, and its record is rejected for it."""
    value = float(text)
    return text if abs(value) > LARGEST_NUMBER else value


def _whole(text: str) -> Any:
    """The same of one without point and exponent."""
    return int(text) if len(text) <= MOST_DIGITS or abs(float(text)) <= LARGEST_NUMBER else text


def json_records(path: Path, layout: Layout) -> list[dict[str, Any]]:
    """The list of objects at the top, or under the key that the layout names; of each, the object within, if there is
    one. Raises SourceError where there is none.
    """
    content = json_content(path, layout.encoding)
    if isinstance(content, dict):
        content = content.get(layout.under)
    if isinstance(content, list) and layout.within:
        content = [record.get(layout.within, record) if isinstance(record, dict) else None for record in content]
    if not isinstance(content, list) or not all(isinstance(record, dict) for record in content):
        raise SourceError(f"{path.name}: expected a list of objects under {layout.under or 'the top'}. Fetch it again")
    return content


def xml_items(path: Path) -> list[dict[str, Any]]:
    """The items of an XML file of the ROME archive, each a dict of its elements."""
    text = decoded(path, "utf-8")
    with readable_as("XML", path):
        root = defusedxml.ElementTree.fromstring(text)
        return [_object([(element.tag, element.text) for element in item]) for item in root or ()]
