"""What a refresh has to make. The command line, the schedules and the sensors all ask here."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import dagster as dg

from assets.common.lineage import raw_key, staged_key
from assets.warehouse import DOWNLOADS, VOLUME, parts_of, table_fingerprint, table_key
from resources.errors import UnknownAssetError
from resources.settings import Settings
from resources.sources.files import RawFiles
from resources.staging import Staging, fingerprint
from warehouse.damage import damage
from warehouse.database import connect
from warehouse.datapackage import is_of, latest
from warehouse.release import Release, current_release
from warehouse.tables import metadata


@dataclass(frozen=True)
class Plan:
    """The assets to stage, the served tables to publish then, and whether what is served already is to be exported."""

    staged: frozenset[dg.AssetKey]
    tables: frozenset[str]
    export: bool = False

    def __bool__(self) -> bool:
        return bool(self.staged or self.tables or self.export)

    def __and__(self, other: "Plan") -> "Plan":
        return Plan(self.staged & other.staged, self.tables & other.tables, self.export or other.export)

    def __str__(self) -> str:
        export = "; to export: the served release" if self.export else ""
        return f"to make: {_listed(key.path[-1] for key in self.staged)}; to publish: {_listed(self.tables)}{export}"

    def selection(self, graph: Any) -> list[dg.AssetKey]:
        """The assets of its run: those to stage, the raw files they read (looked at), the tables to publish, and the
        files to download.
        """
        raw = {parent for key in self.staged for parent in graph.get(key).parent_keys if parent.path[0] == "raw"}
        return sorted(
            {*self.staged, *raw, *map(table_key, self.tables), *([DOWNLOADS] if self.tables or self.export else [])}
        )

    @property
    def checks(self) -> list[dg.AssetCheckKey]:
        """The checks of its run: `volume` of the tables to publish. What came of the rules of a table to stage is told
        in any case, with one event each, where Dagster tells a check that is selected with three.
        """
        return [dg.AssetCheckKey(table_key(name), VOLUME) for name in sorted(self.tables)]


def _listed(names: Any) -> str:
    return ", ".join(sorted(names)) or "nothing"


def served_release(settings: Settings) -> Release | None:
    """The release that readers see; None while there is none."""
    engine = connect(settings.warehouse_url)
    try:
        return current_release(engine)
    finally:
        engine.dispose()


def named(graph: Any, only: Sequence[str]) -> Plan:
    """The named imports or tables with what is downstream of them in the same served table, and those tables; without
    a name, everything. Raises UnknownAssetError.
    """
    staged = _staged(graph)
    names = {name for key, node in staged.items() for name in _names(key, node)}
    unknown = sorted(set(only) - names)
    if unknown:
        raise UnknownAssetError(f"no asset is called {', '.join(unknown)}; there are {', '.join(sorted(names))}")
    chosen = {key for key, node in staged.items() if not only or _names(key, node) & set(only)}
    tables = {staged[key].metadata["table"] for key in chosen}
    below = {
        key
        for key, node in staged.items()
        if node.metadata["table"] in tables and (key in chosen or graph.get_ancestor_asset_keys(key) & chosen)
    }
    return Plan(frozenset(below), frozenset(tables & set(metadata.tables)))  # not those that imports alone read


def whole(graph: Any, settings: Settings) -> Plan:
    """Everything that other files or rules than before would make otherwise, and what is not served as it is staged, or
    not exported as it is served.
    """
    staging, engine = Staging(folder=str(settings.staging)), connect(settings.warehouse_url)
    try:
        release = current_release(engine)
        damaged = damage(engine, release)  # not there, or with other rows than the record says
    finally:
        engine.dispose()
    old = {name: table for name, table in release.tables.items() if name not in damaged} if release else {}
    remade = stale(graph, settings)
    tables = {
        name
        for name in metadata.tables
        if any(staged_key(part) in remade for part in parts_of(name))
        or name not in old
        or old[name].fingerprint != table_fingerprint(staging, name)
    }
    export = release is not None and not is_of(latest(settings.exports), release)
    return Plan(frozenset(remade), frozenset(tables), export)


def of_sources(graph: Any, settings: Settings, sources: Sequence[str]) -> Plan:
    """Of what is to be made, what the given sources touch, with what it needs and is not staged yet."""
    raw, staging = set(map(raw_key, sources)), Staging(folder=str(settings.staging))
    touched = {key for key in stale(graph, settings) if graph.get_ancestor_asset_keys(key) & raw}
    above = {key for key in _staged(graph) if any(key in graph.get_ancestor_asset_keys(below) for below in touched)}
    touched |= {key for key in above if not staging.fingerprint(key.path[-1])}
    tables = {name for name in metadata.tables if touched & set(map(staged_key, parts_of(name)))}
    return Plan(frozenset(touched), frozenset(tables))


def changed_sources(settings: Settings, release: Release) -> dict[str, str]:
    """The sources whose files are not those that a release was made from: the id, and the sha256 now or `absent`."""
    known: dict[str, set[str]] = {}
    for table in release.tables.values():
        for source in table.sources:
            known.setdefault(source.source_id, set()).add(source.sha256)
    versions = RawFiles.from_settings(settings).versions()
    return {name: version for name, version in versions.items() if known.get(name, {"absent"}) != {version}}


def stale(graph: Any, settings: Settings) -> set[dg.AssetKey]:
    """The staged assets that would come out otherwise than they are staged: other files, other rules, or upstream of
    them something that would.
    """
    versions = RawFiles.from_settings(settings).versions()
    staging = Staging(folder=str(settings.staging))
    expected: dict[str, str] = {}
    found = set()
    for key, node in _staged(graph).items():
        inputs = {
            parent.path[-1] if parent.path[0] != "raw" else parent.to_user_string(): (
                versions[parent.path[-1]] if parent.path[0] == "raw" else expected[parent.path[-1]]
            )
            for parent in node.parent_keys
            if parent.path[0] == "raw" or parent.path[-1] in expected
        }
        name = key.path[-1]
        expected[name] = fingerprint(node.code_version, inputs)
        if staging.fingerprint(name) != expected[name]:
            found.add(key)
    return found


def _staged(graph: Any) -> dict[dg.AssetKey, Any]:
    """The staged assets, in the order in which they are made."""
    ordered = [key for level in graph.toposorted_asset_keys_by_level for key in level]
    return {key: graph.get(key) for key in ordered if graph.get(key).tags.get("layer") == "staged"}


def _names(key: dg.AssetKey, node: Any) -> set[str]:
    """What an import may be called: its asset, its module, its served table."""
    return {key.path[-1], node.tags["import"], node.metadata["table"]}
