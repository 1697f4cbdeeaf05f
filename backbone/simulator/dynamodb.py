"""DynamoDB: tables in moto's engine, behind IAM."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from backbone.simulator.api import error
from backbone.simulator.engine import Engine
from backbone.simulator.processes import Call, Reply
from backbone.system.iam import Identity, authorize
from backbone.system.model import Index, Table

__all__ = ["DynamoDb"]


class DynamoDb:
    """The tables of a system, apart from those of any other."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._backends: dict[tuple[str, str], Any] = {}
        engine.answer("DynamoDB_20120810", self._answer)

    def items(self, name: str) -> list[dict[str, Any]]:
        """The items of a table, by its name, ARN or address, in DynamoDB's JSON; none when there is no such table."""
        table = self._engine.system.find(Table, name)
        if table is None:
            return []
        found = self._backend(table).tables[table.name]
        return [item.to_json()["Attributes"] for item in found.all_items()]

    def _answer(self, who: Identity, call: Call) -> Reply:
        engine, operation = self._engine, call.target.partition(".")[2]
        asked = _asked(operation, json.loads(call.body))
        if not asked:
            return error("NotSimulated", f"dynamodb:{operation} is not simulated", 501)
        table: Table | None = None
        for name, action in asked:
            table = self._table(name, who.account_id)
            if table is None:
                words = f"Requested resource not found: Table: {name} not found"
                return error("ResourceNotFoundException", words)
            decision = authorize(who, action, table.arn, owner=table.account_id, context=engine.context)
            if not decision:
                words = f"{action}: {decision.why}"
                engine.node("denied", table.name, table.account, words, code="AccessDeniedException")
                return error("AccessDeniedException", decision.why)
            if engine.strikes(("throttle", "timeout"), *table.names):
                engine.node("refused", table.name, table.account, f"{action}: throttled by a fault")
                return error("ThrottlingException", "throttled by a fault")
            engine.node("call", table.name, table.account, action)
        assert table is not None  # noqa: S101
        return self._ask_moto(table, call)

    def _table(self, name: str, account_id: str) -> Table | None:
        """The table that an identity of an account means by a name."""
        found = [table for table in self._engine.system.of(Table) if name in table.names]
        own = [table for table in found if table.account_id == account_id]
        return next(iter([*own, *found]), None)

    def _ask_moto(self, table: Table, call: Call) -> Reply:
        # moto takes a third of a second to import, and only functions need it.
        from botocore.awsrequest import AWSPreparedRequest
        from moto.core.exceptions import ServiceException
        from moto.core.request import normalize_request
        from moto.dynamodb.responses import DynamoHandler

        backend = self._backend(table)

        class Handler(DynamoHandler):
            @property
            def dynamodb_backend(self) -> Any:
                return backend

        headers: Any = dict(call.headers)
        prepared = AWSPreparedRequest(call.method, call.url, headers, call.body, False)
        try:
            status, more, body = Handler()._dispatch(normalize_request(prepared))
        except ServiceException as problem:
            return error(str(getattr(problem, "code", "InternalServerError")), str(problem))
        content = body.encode() if isinstance(body, str) else body
        return Reply(int(status), {str(key): str(value) for key, value in more.items()}, content)

    def _backend(self, table: Table) -> Any:
        """Moto's tables of the account and region that a table is in."""
        key = table.account_id, table.place.region
        if key not in self._backends:
            from moto.dynamodb.models import DynamoDBBackend

            backend = self._backends[key] = DynamoDBBackend(table.place.region, table.account_id)
            for each in self._engine.system.of(Table):
                if (each.account_id, each.place.region) == key:
                    _create(backend, each)
        return self._backends[key]


def _create(backend: Any, table: Table) -> None:
    backend.create_table(
        table.name,
        schema=_schema(table.keys),
        throughput=None,
        attr=[{"AttributeName": name, "AttributeType": kind} for name, kind in table.attribute_types.items()],
        global_indexes=[_index(index) for index in table.global_indexes],
        indexes=[_index(index) for index in table.local_indexes],
        streams={"StreamEnabled": True, "StreamViewType": table.stream_view} if table.stream_arn else None,
        billing_mode="PAY_PER_REQUEST",
        sse_specification=None,
        tags=[],
        deletion_protection_enabled=False,
        warm_throughput=None,
    )


def _schema(keys: tuple[str, ...]) -> list[dict[str, str]]:
    return [{"AttributeName": name, "KeyType": kind} for name, kind in zip(keys, ("HASH", "RANGE"), strict=False)]


def _index(index: Index) -> dict[str, Any]:
    projection = {"ProjectionType": index.projection, "NonKeyAttributes": list(index.projected)}
    return {"IndexName": index.name, "KeySchema": _schema(index.keys), "Projection": projection}


def _asked(operation: str, given: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The tables of a request, each with the action that it needs (service authorization reference, DynamoDB)."""
    if "TableName" in given:
        return [(str(given["TableName"]), f"dynamodb:{operation}")]
    if "RequestItems" in given:
        return [(name, f"dynamodb:{operation}") for name in given["RequestItems"]]
    parts = [(kind, part) for item in given.get("TransactItems", []) for kind, part in item.items()]
    return [(str(part["TableName"]), f"dynamodb:{kind}Item") for kind, part in parts]
