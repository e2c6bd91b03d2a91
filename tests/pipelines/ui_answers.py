"""Print everything that the UI's GraphQL answers of the code location, its runs and its instance, a root field a line.

A script of its own, so that the code location is loaded with the environment that it is given. DAGSTER_HOME: the
history to show.
"""

import asyncio
import inspect
import json
import sys
from collections import deque
from typing import Any

import dagster as dg
import graphql as g
from dagster._core.remote_origin import InProcessCodeLocationOrigin
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import InProcessWorkspaceLoadTarget
from dagster_graphql.schema import create_schema

ELSEWHERE = """repositoriesOrError repositoryOrError assetCheckExecutions
    workspaceLocationEntryOrError pipelineRunsOrError
    pipelineRunOrError pipelineSnapshotOrError graphOrError runsOrError runsFeedOrError runGroupOrError assetOrError
    assetNodeOrError assetsLatestInfo scheduleOrError sensorOrError instigationStateOrError autoMaterializeTicks
    partitionSetOrError partitionSetsOrError assetNodeDefinitionCollisions partitionBackfillsOrError""".split()
"""Root fields whose objects are below others: the workspace, a run, all assets."""


def named(name: str) -> g.NameNode:
    """A name in a query."""
    return g.NameNode(value=name)


TYPE_NAME = g.FieldNode(name=named("__typename"), arguments=(), directives=())
Queue = deque[tuple[Any, g.SelectionSetNode, int]]
"""Types whose fields are still to be asked for, where, and how far below the root."""
DEPTH = 5


class Asking:
    """The queries, made from the schema: of each type each field once below a root field, with the arguments known."""

    def __init__(self, schema: g.GraphQLSchema, given: dict[str, Any]) -> None:
        self._schema, self._given = schema, given
        self._root = schema.query_type.fields  # type: ignore[union-attr]

    def query(self, name: str) -> g.DocumentNode | None:
        """A query of one root field; None where an argument is not known. Made without text, which takes longer."""
        queue: Queue = deque()
        asked = self._field("", name, self._root[name], queue, 1)
        seen: set[str] = set()
        while queue:  # breadth first: what is nearest to the root is asked for there
            kind, below, depth = queue.popleft()
            parts = []
            for of in self._schema.get_possible_types(kind) if g.is_abstract_type(kind) else [kind]:
                new = {name: field for name, field in of.fields.items() if f"{of.name}.{name}" not in seen}
                seen |= {f"{of.name}.{name}" for name in new}
                fields = [self._field(of.name, name, field, queue, depth + 1) for name, field in new.items()]
                inside = g.SelectionSetNode(selections=[field for field in fields if field] or [TYPE_NAME])
                condition = g.NamedTypeNode(name=named(of.name))
                parts.append(g.InlineFragmentNode(type_condition=condition, selection_set=inside, directives=()))
            below.selections = tuple(parts)
        if not asked:
            return None
        selection = g.SelectionSetNode(selections=(asked,))
        operation = g.OperationDefinitionNode(operation=g.OperationType.QUERY, selection_set=selection, directives=())
        return g.DocumentNode(definitions=(operation,))

    def _field(self, owner: str, name: str, field: g.GraphQLField, queue: Queue, depth: int) -> g.FieldNode | None:
        arguments = []
        for argument, of in field.args.items():
            value = self._given.get(str(of.type).rstrip("!"), self._given.get(argument))
            if value is not None:
                arguments.append(g.ArgumentNode(name=named(argument), value=g.parse_value(value)))
            elif g.is_required_argument(of):
                return None
        kind, below = g.get_named_type(field.type), None
        if not g.is_leaf_type(kind):
            if depth > DEPTH:
                return None
            below = g.SelectionSetNode()
            queue.append((kind, below, depth))
        alias = named(f"{owner}_{name}")  # fields of one name have different types
        return g.FieldNode(alias=alias, name=named(name), arguments=arguments, directives=(), selection_set=below)


def nullable(schema: g.GraphQLSchema) -> g.GraphQLSchema:
    """The schema with no field that must be there, so that an error takes with it no more than its own field."""

    def without(kind: Any) -> Any:
        if g.is_non_null_type(kind):
            return without(kind.of_type)
        return g.GraphQLList(without(kind.of_type)) if g.is_list_type(kind) else kind

    for kind in schema.type_map.values():
        if g.is_object_type(kind) or g.is_interface_type(kind):
            for field in kind.fields.values():  # type: ignore[attr-defined]
                field.type = without(field.type)
    return schema


async def answered(schema: g.GraphQLSchema, query: g.DocumentNode, context: Any) -> str:
    """Data and errors. Not validated: the rule of overlapping fields alone takes minutes on such queries."""
    result = g.execute(schema, query, context_value=context)
    if inspect.isawaitable(result):
        result = await result
    return json.dumps([result.data, [error.message for error in result.errors or []]], default=str)


def main() -> None:
    """Ask for the root fields that are named as arguments, by default for everything."""
    origin = InProcessCodeLocationOrigin(LoadableTargetOrigin(module_name="pipelines.definitions"))
    with (
        dg.DagsterInstance.get() as instance,
        WorkspaceProcessContext(instance, InProcessWorkspaceLoadTarget(origin)) as workspace,
    ):
        context = workspace.create_request_context()
        location = context.code_location_names[0]
        run = instance.get_run_ids()[0]
        place = f'repositoryLocationName: "{location}", repositoryName: "__repository__"'
        job = f'{{{place}, pipelineName: "refresh"}}'
        asset = '{path: ["staged", "helps"]}'
        given = {
            "RepositorySelector": f"{{{place}}}",
            "PipelineSelector": job,
            "activePipelineSelector": job,
            "GraphSelector": f'{{{place}, graphName: "refresh"}}',
            "ResourceSelector": f'{{{place}, resourceName: "warehouse"}}',
            "ScheduleSelector": f'{{{place}, scheduleName: "nightly_refresh"}}',
            "SensorSelector": f'{{{place}, sensorName: "failure_alert"}}',
            "InstigationSelector": f'{{{place}, name: "failure_alert"}}',
            "AssetKeyInput": asset,
            "assetKeys": f"[{asset}]",
            "runId": f'"{run}"',
            "logKey": f'["{run}", "compute_logs", "helps"]',
            "mode": '"default"',
            "pipelineName": '"refresh"',
            "locationName": f'"{location}"',
            "name": f'"{location}"',
            "checkName": '"slug_is_unique"',
            "RunsFeedView": "RUNS",
            "limit": "100",
        }
        schema = nullable(create_schema().graphql_schema)
        asking = Asking(schema, given)
        for name in sys.argv[1:] or schema.query_type.fields:  # type: ignore[union-attr]
            if name not in ELSEWHERE and (query := asking.query(name)):
                print(name, asyncio.run(answered(schema, query, context)))


if __name__ == "__main__":
    main()
