"""Files of the raw data's folders that no source reads, the source each is nearest to, and why it was not taken."""

import difflib
from collections.abc import Iterator
from pathlib import Path

import raw_data
from resources.errors import SourceError
from resources.sources.catalogue import catalogue
from resources.sources.delimited import recognised
from resources.sources.files import RawFiles
from resources.sources.sniffing import NO_INPUT

OURS = ("README.md", "fetched.json")
"""What stands beside the files and is none: the sample's description, the record of what was fetched."""


def unread(files: RawFiles) -> Iterator[str]:
    """A line for each, by its name. Older dumps are history; hidden files are nobody's; the caches are our own."""
    taken: dict[Path, str] = {}
    for name in catalogue():
        candidates = files.candidates(name)
        try:
            read = files.paths(name)
        except SourceError:  # refused: whoever reads the source says so
            read = candidates
        old = f"{name} reads {', '.join(path.name for path in read)}, which is newer"
        taken |= {path: "" if path in read else old for path in candidates}
    folders = Path(files.folder), Path(files.dumps)
    for path in sorted({path for folder in folders for path in folder.rglob("*") if path.is_file()}):
        if path.name not in OURS and not path.name.startswith(".") and taken.get(path) != "":
            yield f"{path.name} is not read: {taken.get(path) or _nearest(path)}"


def missing(files: RawFiles) -> Iterator[str]:
    """A line for each optional source without a file: what readers will miss."""
    for name, without in raw_data.missing([name for name in catalogue() if files.has(name)]).items():
        yield f"no file for {name}: {without}"


def _nearest(path: Path) -> str:
    """The source whose columns a file has, else whose files have the most similar names, and why it was not taken."""
    if NO_INPUT.search(path.name):
        return "its name is that of a file that an editor keeps, or a download that is not whole"
    for name, source in catalogue().items():
        if path.suffix in (".csv", ".zip", ".gz", ".txt") and all(layout.header for layout in source.layouts):
            try:
                if recognised(path, source).names:
                    return f"it has the columns of {name}, whose files are named {' or '.join(source.files)}: rename it"
            except SourceError:
                continue
    patterns = {pattern: name for name, source in catalogue().items() for pattern in source.files}
    name = patterns[difflib.get_close_matches(path.name, patterns, 1, 0)[0]]
    expected = " or ".join(catalogue()[name].files)
    return f"no source has files of that name; the nearest, {name}, has {expected}. Rename it, or move it away"
