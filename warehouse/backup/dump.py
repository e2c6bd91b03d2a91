r"""Reading a dump: nothing but what mariadb-dump writes for the tables of a backup is taken from it.

A dump is a program: in the hands of the client `mariadb` it may run commands of the shell (`\!`), read files of this
machine and reach other databases. So it is read here, and only statements of the forms below are ever sent.
"""

import re
from collections.abc import Collection, Iterator
from pathlib import Path

from warehouse.backup.stream import Progress, unpacked
from warehouse.errors import WarehouseError

_TEXT = rb"'(?:[^'\\]|\\.|'')*+'"
_VALUE = rb"(?:NULL|-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?|" + _TEXT + rb")"
_ROW = rb"\(" + _VALUE + rb"(?:," + _VALUE + rb")*+\)"
_ROWS = re.compile(_ROW + rb"(?:,\s*" + _ROW + rb")*+[,;]")
_WORDS = (
    rb"AUTO_INCREMENT|bigint|BTREE|CHARACTER|CHECK|COMMENT|current_timestamp|date|datetime|decimal|DEFAULT|double|"
    rb"ENGINE=InnoDB|FULLTEXT|int|json|json_valid|KEY|longtext|mediumtext|NOT|NULL|ON|PRIMARY|ROW_FORMAT=DYNAMIC|"
    rb"smallint|text|timestamp|tinyint|UNIQUE|unsigned|UPDATE|USING|varchar"
)
_COLUMN = re.compile(
    rb"(?:`\w+`|" + _TEXT + rb"|\d+|[ (),=]|(?:CHARSET|COLLATE|SET)[ =]\w+|\b(?:" + _WORDS + rb")\b)++;?"
)
_START = re.compile(
    rb"(?:(?P<drop>DROP TABLE IF EXISTS)|(?P<create>CREATE TABLE)|INSERT INTO) `(?P<name>\w+)`(?P<rest>.*)"
)
_SETTING = re.compile(rb"/\*M?!\d+(?:\\- enable the sandbox mode| SET [^*;]*) \*/ ?;?")


def statements(file: Path, names: Collection[str], progress: Progress = lambda message: None) -> Iterator[bytes]:
    """The statements of a dump that drop, make and fill the tables `names`, one after the other.

    Settings of the session are skipped: whoever runs the statements has its own. Raises WarehouseError that names the
    line for anything else.
    """
    lines: list[bytes] = []
    form: re.Pattern[bytes] | None = None
    number = 0
    for number, line in enumerate(unpacked(file, progress, lines=True), 1):
        text = line.rstrip(b"\r\n")
        if form is None:
            if not text or _SETTING.fullmatch(text):
                continue
            form, text = _started(file, number, text, names)
        if text and not form.fullmatch(text):
            raise _refused(file, number, line)
        lines.append(line)
        if text.endswith(b";"):
            yield b"".join(lines).rstrip(b";\r\n")
            lines, form = [], None
    if form:
        raise WarehouseError(f"{file}, line {number}: the dump ends in the middle of a statement. It is refused.")


def _started(file: Path, number: int, line: bytes, names: Collection[str]) -> tuple[re.Pattern[bytes], bytes]:
    """The form that the lines of a statement have, and what of it follows its first words."""
    start = _START.fullmatch(line)
    if start is None:
        raise _refused(file, number, line)
    if start["name"].decode() not in names:
        raise WarehouseError(
            f"{file}, line {number}: table {start['name'].decode()} is none of this backup. It is refused, and nothing "
            "of it was run."
        )
    if start["drop"]:
        return re.compile(b";"), start["rest"]
    if start["create"]:
        return _COLUMN, start["rest"]
    values, rest = start["rest"][:7], start["rest"][7:].lstrip()
    if values != b" VALUES":
        raise _refused(file, number, line)
    return _ROWS, rest


def _refused(file: Path, number: int, line: bytes) -> WarehouseError:
    shown = line[:60].decode(errors="replace").strip()
    return WarehouseError(
        f"{file}, line {number}: expected a statement that makes or fills a table of this backup, found {shown!r}. It "
        "is refused, and nothing of it was run."
    )
