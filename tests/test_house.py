"""Rules of the house that no linter knows."""

import ast
import re
from collections.abc import Iterator

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
