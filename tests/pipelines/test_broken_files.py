"""Broken raw files, each run through the real import and, where it passes, published.

Whatever is in a file, the answer is an error in words that names it, or a release in which every row of the file is
accounted for and whatever was wrong with one is among the rejects; after an error what is served is as it was.
"""

import csv
import hashlib
import io
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
import pytest
from sqlalchemy import create_engine

import raw_data
from assets.common.lineage import raw_key, staged_key
from assets.warehouse import parts_of, table_key
from pipelines.definitions import definitions
from resources.failures import Explained, in_words
from resources.settings import Settings
from resources.sources.catalogue import Layout, catalogue
from resources.sources.files import RawFiles
from resources.staging import Staging
from tests.conftest import soak
from tests.pipelines import corruptions, mutations
from warehouse import tables
from warehouse.database import connect
from warehouse.release import current_release

SAMPLE = RawFiles(str(raw_data.SAMPLE), str(raw_data.SAMPLE / "datalake"))


MUTATIONS = 20
"""Random changes of each source's file."""


def _breaks(source_id: str) -> dict[str, corruptions.Break]:
    """The ways in which the sample's file of a source is broken."""
    path = SAMPLE.path(source_id)
    return _corrupted(source_id) | mutations.of(source_id, path, _layout(source_id, path), MUTATIONS)


def _corrupted(source_id: str) -> dict[str, corruptions.Break]:
    source, path = catalogue()[source_id], SAMPLE.path(source_id)
    if source.kind == "text":
        return {
            **corruptions.WHOLE_FILE,
            "cut": lambda content: content[:100],
            "latin-1": lambda _c: "é;è".encode("latin-1"),
        }
    if path.suffix == ".json":
        return corruptions.WHOLE_FILE | corruptions.of_json(source)
    if path.suffix == ".xml":
        return corruptions.WHOLE_FILE | corruptions.of_xml()
    layout = _layout(source_id, path)
    assert layout
    inner = corruptions.of_csv(source, layout, _header(path, layout))
    if path.suffix == ".csv":
        return corruptions.WHOLE_FILE | inner
    within = {f"within: {name}": corruptions.packed(path, change) for name, change in inner.items()}
    return corruptions.WHOLE_FILE | corruptions.of_packed(path.name) | within


def _layout(source_id: str, path: Path) -> Layout | None:
    """The layout of a delimited file; None of another."""
    if path.suffix in (".json", ".xml") or catalogue()[source_id].kind == "text":
        return None
    layouts = catalogue()[source_id].layouts
    return next(layout for layout in layouts if not layout.header or not layout.missing(_header(path, layout)))


def _header(path: Path, layout: Any) -> list[str]:
    first = corruptions.unpacked(path).decode(layout.encoding).removeprefix("\ufeff").splitlines()[0]
    return next(csv.reader(io.StringIO(first), delimiter=layout.delimiter))


DAYS = "offers_days"
"""The files of offers_dump again: where a day is broken the others count, see tests/assets/test_offers_history.py."""
EVERY = [
    (source, name) for source in catalogue() if SAMPLE.paths(source) and source != DAYS for name in _breaks(source)
]
CORPUS = [case for number, case in enumerate(EVERY) if number % 10 < soak(2, 10)]
"""Two of ten, in turn: all take eight minutes, and each way of breaking is there for several sources."""


def test_the_corpus_is_large_and_of_every_source() -> None:
    assert len(CORPUS) >= soak(200, 1000)
    files = {
        name for name, source in catalogue().items() if source.folder != "cache"
    }  # that is what we wrote ourselves
    assert {source for source, _ in CORPUS} == files - {DAYS}


class Place:
    """A warehouse made from the sound sample, and a folder of raw files in which one is to be broken."""

    def __init__(self, folder: Path, instance: dg.DagsterInstance) -> None:
        self.files, self.made, self.sound = folder / "files", folder / "var", folder / "sound"
        url = f"sqlite:///{self.made / 'warehouse.db'}"
        self.settings = Settings(
            raw_data=self.files, staging=self.made / "staging", warehouse_url=url, exports=self.made / "exports"
        )
        self.instance = instance
        defs = definitions(self.settings)
        self.graph, self.job = defs.resolve_asset_graph(), defs.resolve_job_def("refresh")
        shutil.copytree(raw_data.SAMPLE, self.files)
        assert self._error(self.job.asset_layer.selected_asset_keys) is None
        self.served = self.digest()
        self.made.rename(self.sound)

    def restore(self) -> None:
        """Make all as it was before a file was broken."""
        for ours, sound in ((self.files, raw_data.SAMPLE), (self.made, self.sound)):
            shutil.rmtree(ours, ignore_errors=True)
            shutil.copytree(sound, ours, symlinks=True)

    def run(self, source_id: str) -> tuple[list[Any], str | None]:
        """Stage the assets that read a source, with all parts of their tables, and publish these: their names, and
        the error in words if there is one.
        """
        readers = sorted(self.graph.get(raw_key(source_id)).child_keys)
        published = sorted({self.graph.get(reader).metadata["table"] for reader in readers} & {*tables.metadata.tables})
        parts = {staged_key(part) for table in published for part in parts_of(table)}
        return published, self._error({*readers, *parts, *map(table_key, published)})

    def _error(self, keys: Iterable[dg.AssetKey]) -> str | None:
        result = self.job.execute_in_process(instance=self.instance, asset_selection=[*keys], raise_on_error=False)
        for event in result.all_events:
            if event.is_step_failure:
                error = event.step_failure_data.error
                assert _explained(error), error and error.to_string()
                return in_words(error) if error else ""
        return None

    def is_as_before(self) -> bool:
        """Whether every row is served that was before a file was broken."""
        before, now = ((made / "warehouse.db").read_bytes() for made in (self.sound, self.made))
        return (now == before and not any(self.made.glob("*-wal"))) or self.digest() == self.served

    def digest(self) -> str:
        """Of every row that is served."""
        engine = create_engine(self.settings.warehouse_url)
        digest = hashlib.sha256()
        with engine.connect() as connection:
            for table in tables.SERVED:
                columns = ", ".join(f'"{c.name}"' for c in table.columns if c.name not in tables.STAMPS)
                for row in connection.exec_driver_sql(f"SELECT {columns} FROM {table.name} ORDER BY 1"):
                    digest.update(repr(tuple(row)).encode())
        engine.dispose()
        return digest.hexdigest()


def _explained(error: Any) -> bool:
    """Whether an error of the chain is one whose message is the whole story."""
    while error is not None and error.cls_name != Explained.__name__:
        error = error.cause
    return error is not None


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield Place(tmp_path_factory.mktemp("broken"), instance)


@pytest.fixture
def place(places: Place) -> Place:
    places.restore()
    return places


@pytest.mark.soak
@pytest.mark.parametrize(("source_id", "name"), CORPUS)
def test_a_broken_file_is_repaired_rejected_or_refused(place: Place, source_id: str, name: str) -> None:
    source = catalogue()[source_id]
    path = RawFiles(str(place.files), str(place.files / "datalake")).path(source_id)
    broken = _breaks(source_id)[name](path.read_bytes())
    for other in place.files.rglob("*"):  # nothing else of the source is there to be read in its place
        if any(other.match(pattern) for pattern in source.files) and source.kind != "text":
            other.unlink()
    path.unlink(missing_ok=True)
    if broken is not None:
        path.write_bytes(broken)
    published, error = place.run(source_id)
    if error is not None:
        assert place.is_as_before()
        assert (
            (path.name in error)
            or (source_id in error)
            or any(table in error for table in published or tables.metadata.tables)
        ), error
        assert len(error) < 3000
        return
    kept = _accounted(place, source_id, published)
    if name.startswith(mutations.ROWS):
        _assert_all_read(place, path, source_id, published)
    assert kept["is_error"].any() or not name.removeprefix("within: ").startswith(corruptions.FIELD)


def _accounted(place: Place, source_id: str, published: list[str]) -> pd.DataFrame:
    """Every row that was read was used, merged or rejected; each rejected one is kept with its reason: return them."""
    engine = connect(place.settings.warehouse_url)
    release = current_release(engine)
    engine.dispose()
    assert release is not None
    rejects = Staging(folder=str(place.settings.staging)).rejects()
    for table in published:
        for file in release.tables[table].sources:
            if file.source_id == source_id and file.rows_read is not None:
                counts = (file.rows_used, file.rows_merged, file.rows_rejected)
                assert None not in counts
                assert file.rows_read == sum(number or 0 for number in counts)
    kept = rejects[rejects["source"] == source_id]
    assert (kept["reason"] != "").all()
    assert (kept["file"] != "").all()
    return kept


def _assert_all_read(place: Place, path: Path, source_id: str, published: list[str]) -> None:
    """The release says of the file that it has as many rows as another reader finds in it."""
    layout = _layout(source_id, SAMPLE.path(source_id))
    engine = connect(place.settings.warehouse_url)
    release = current_release(engine)
    engine.dispose()
    assert release
    assert layout
    files = [file for table in published for file in release.tables[table].sources if file.source_id == source_id]
    assert {file.rows_read for file in files} <= {mutations.rows_in(path, layout), None}
