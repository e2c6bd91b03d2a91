"""Rules of the house that no linter knows."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import raw_data
from warehouse import errors

ROOT = raw_data.FOLDER.parent
ROOMS = ("api", "assets", "bench", "pipelines", "raw_data", "resources", "schedules", "warehouse", "web")
MODULES = {
    path.relative_to(ROOT).with_suffix("").as_posix().replace("/", ".").removesuffix(".__init__"): path
    for room in ROOMS
    for path in sorted((ROOT / room).rglob("*.py"))
    if "node_modules" not in path.parts
}


def _bases() -> Iterator[tuple[str, str, str]]:
    """The name, the module and the first base of every exception class of the project."""
    for module, path in MODULES.items():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef) and node.bases:
                base = ast.unparse(node.bases[0]).rpartition(".")[2]
                if re.search("(Error|Exception|Warning)$", base):
                    yield node.name, module, base


def _drawn() -> Iterator[tuple[str, str, str]]:
    """The same, as the tree in `warehouse/errors.py` draws it."""
    parents: list[str] = ["Exception"]
    for indent, name, module in re.findall(r"^( *)\* (\w+) +([\w.]+)$", errors.__doc__ or "", re.MULTILINE):
        level = len(indent) // 2 + 1
        parents[level:] = [name]
        yield name, module, parents[level - 1]


def test_every_error_is_in_the_tree_that_the_docstring_draws() -> None:
    assert sorted(_bases()) == sorted(_drawn())


MAY_IMPORT = {
    "web": set(),
    "warehouse": set(),
    "raw_data": set(),
    "resources": {"raw_data", "warehouse"},
    "assets": {"raw_data", "warehouse", "resources"},
    "schedules": {"raw_data", "warehouse", "resources", "assets"},
    "api": {"raw_data", "warehouse", "resources"},
    "pipelines": {"raw_data", "warehouse", "resources", "assets", "schedules", "api"},
    "bench": set(ROOMS),
}
"""Data flows one way: the rooms that each room may import, beside itself."""

MOST_LINES, MOST_LINES_OF_A_FUNCTION = 400, 40


def _imports(path: Path) -> Iterator[tuple[int, str]]:
    """The line and the name of every import of a file, those inside functions included."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}:{node.lineno} imports by a relative name"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from ((node.lineno, name if name in MODULES else str(node.module)) for name in names)


def _reached(room: str) -> dict[str, str]:
    """Every module that a room imports, directly or through modules of the project: its name, and who imports it."""
    found: dict[str, str] = {}
    waiting = [module for module in MODULES if module.partition(".")[0] == room]
    while waiting:
        module = waiting.pop()
        parents = [module[:end] for end, letter in enumerate(module) if letter == "."]
        for name in [*(name for _, name in _imports(MODULES[module])), *parents]:
            if name not in found:
                found[name] = module
                waiting += [name] if name in MODULES else []
    return found


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_the_rooms_before_it(room: str) -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for module, path in MODULES.items()
        if module.partition(".")[0] == room
        for line, name in _imports(path)
        if name.partition(".")[0] in set(ROOMS) - MAY_IMPORT[room] - {room}
    ]
    assert not wrong


@pytest.mark.parametrize("room", ["warehouse", "api"])
def test_a_room_that_readers_start_does_not_load_dagster(room: str) -> None:
    assert not {name: by for name, by in _reached(room).items() if name.partition(".")[0].startswith("dagster")}


def test_a_function_fits_a_screen_and_a_file_is_about_one_thing() -> None:
    long = []
    for path in MODULES.values():
        text, name = path.read_text(encoding="utf-8"), path.relative_to(ROOT).as_posix()
        if name in {"warehouse/tables.py"} or name.startswith("warehouse/migrations/"):
            continue
        if (lines := len(text.splitlines())) > MOST_LINES:
            long.append(f"{name} has {lines} lines")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or 0) - node.lineno + 1
                if lines > MOST_LINES_OF_A_FUNCTION:
                    long.append(f"{name}:{node.lineno} {node.name} has {lines} lines")
    assert not long
