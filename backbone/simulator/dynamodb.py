"""DynamoDB: tables in moto's engine, behind IAM."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache, partial
from typing import Any

from backbone.simulator.api import error, reply
from backbone.simulator.dynamodb_checks import ASKED_TWICE, key_of, mismatch, problem
from backbone.simulator.dynamodb_requests import Asked, asked
from backbone.simulator.engine import Engine
from backbone.simulator.processes import Call, Reply
from backbone.simulator.table_streams import Change, emit
from backbone.system.iam import Identity, authorize
from backbone.system.model import Index, Table
from backbone.trace import Node

__all__ = ["DynamoDb"]

PREFIX = "com.amazonaws.dynamodb.v20120810#"
"""What DynamoDB writes before the names of its errors."""

VALIDATION = "com.amazon.coral.validate#ValidationException"


class DynamoDb:
    """The tables of a system, apart from those of any other."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._backends: dict[tuple[str, str], Any] = {}
        self._changes: dict[str, int] = {}
        """How many changes of each table there were, by its ARN."""
        engine.answer("DynamoDB_20120810", self._answer)

    def items(self, name: str) -> list[dict[str, Any]]:
        """The items of a table, by its name, ARN or address, in DynamoDB's JSON; none when there is no such table."""
        table = self._engine.system.find(Table, name)
        if table is None:
            return []
        found = self._backend(table).tables[table.name]
        return [item.to_json()["Attributes"] for item in found.all_items()]

    def take_over(self, before: DynamoDb) -> None:
        """Take the items of the tables that are still there, with the same keys; other tables begin empty."""
        self._backends, self._changes = before._backends, before._changes
        old = {table.arn: table for table in before._engine.system.of(Table)}
        for table in self._engine.system.of(Table):
            backend = self._backends.get((table.account_id, table.place.region))
            if backend is None:
                continue
            if table.arn not in old or _shape(table) != _shape(old[table.arn]):
                backend.tables.pop(table.name, None)
                _create(backend, table)
            for item in backend.tables[table.name].all_items() if table.expiry_attribute else ():
                content = item.to_json()["Attributes"]
                self._expire_later(table, {name: content[name] for name in table.keys}, content)

    def _answer(self, who: Identity, call: Call) -> Reply:
        engine, operation = self._engine, call.target.partition(".")[2]
        parts = list(asked(operation, json.loads(call.body)))
        if not parts:
            account = engine.system.account_name(who.account_id)
            engine.node("refused", "dynamodb", account, f"dynamodb:{operation} is not simulated")
            return error("NotSimulated", f"dynamodb:{operation} is not simulated", 501)
        nodes: dict[Table, Node] = {}
        reasons: list[str | None] = []
        written: set[tuple[object, ...]] = set()
        for part in parts:
            table = self._table(part.table, who.account_id)
            if table is None:
                return error(f"{PREFIX}ResourceNotFoundException", "Requested resource not found")
            if (refused := self._refused(who, part, table)) is not None:
                return refused
            nodes[table] = engine.node("call", table.name, table.account, part.action)
            if (words := problem(part, table)) is not None:
                return error(VALIDATION, words)
            reasons.append(mismatch(part, table) if part.enclosing else None)
            if (key := key_of(part, table)) is not None:
                if key in written:
                    return error(VALIDATION, ASKED_TWICE)
                written.add(key)
        if any(reasons):
            return _cancelled(reasons)
        answer = self._ask_moto(next(reversed(nodes)), call)
        for table, node in nodes.items():
            self._changed(table, node)
        return answer

    def _refused(self, who: Identity, part: Asked, table: Table) -> Reply | None:
        """The answer to a request that is not allowed or, by a fault, throttled."""
        engine = self._engine
        context = {**engine.context, **part.context(table)}
        decision = authorize(who, part.action, part.resource(table), owner=table.account_id, context=context)
        if not decision:
            words = f"{part.action}: {decision.why}"
            engine.node("denied", table.name, table.account, words, code="AccessDeniedException")
            return error("com.amazon.coral.service#AccessDeniedException", decision.why)
        if engine.strikes(("throttle", "timeout"), *table.names):
            engine.node("refused", table.name, table.account, f"{part.action}: throttled by a fault")
            return error(f"{PREFIX}ThrottlingException", "throttled by a fault")
        return None

    # Changes

    def _changed(self, table: Table, node: Node | None, *, by_expiry: bool = False) -> None:
        """Tell the table's stream what changed, and have items deleted when their time has passed."""
        shard = self._backend(table).tables[table.name].stream_shard
        changes = [record.to_json()["dynamodb"] for record in shard.items]
        shard.items.clear()
        for change in changes:
            number = self._changes[table.arn] = self._changes.get(table.arn, 0) + 1
            new, old = change.get("NewImage", {}), change.get("OldImage", {})
            emit(self._engine, table, Change(change["Keys"], old, new, number, by_expiry), node)
            self._expire_later(table, change["Keys"], new)

    def _expire_later(self, table: Table, keys: Mapping[str, Any], item: Mapping[str, Any]) -> None:
        """Have an item deleted when its time has passed, if it has one."""
        expiry = _expiry(table, item)
        if expiry is not None:
            wait = max(0.0, expiry - self._engine.timestamp)
            self._engine.at(wait, partial(self._expire, table, keys), passive=True)

    def _expire(self, table: Table, keys: Mapping[str, Any]) -> None:
        """Delete an item if its time has passed. AWS does so within days, and gives it out until then."""
        backend, engine = self._backend(table), self._engine
        item = backend.get_item(table.name, dict(keys))
        expiry = _expiry(table, item.to_json()["Attributes"]) if item is not None else None
        if expiry is not None and expiry <= engine.timestamp:
            backend.tables[table.name].delete_item(item.hash_key, item.range_key)
            words = f"an item is deleted: the time in {table.expiry_attribute} has passed"
            self._changed(table, engine.node("call", table.name, table.account, words), by_expiry=True)

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

        headers: Any = dict(call.headers)
        prepared = AWSPreparedRequest(call.method, call.url, headers, call.body, False)
        handler = _handler()()
        handler.backend = self._backend(table)
        try:
            status, more, body = handler._dispatch(normalize_request(prepared))
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


@cache
def _handler() -> Any:
    """Moto's answers to calls, for a backend that is given."""
    from moto.dynamodb.responses import DynamoHandler

    class Handler(DynamoHandler):
        backend: Any

        @property
        def dynamodb_backend(self) -> Any:
            return self.backend

    return Handler


def _cancelled(reasons: Sequence[str | None]) -> Reply:
    """The answer to a transaction of which parts are not valid; None is the reason of a part that is."""
    codes = ["ValidationError" if reason else "None" for reason in reasons]
    words = f"Transaction cancelled, please refer cancellation reasons for specific reasons [{', '.join(codes)}]"
    each = [{"Code": "ValidationError", "Message": reason} if reason else {"Code": "None"} for reason in reasons]
    code = f"{PREFIX}TransactionCanceledException"
    return reply({"__type": code, "Message": words, "CancellationReasons": each}, 400)


def _create(backend: Any, table: Table) -> None:
    backend.create_table(
        table.name,
        schema=_schema(table.keys),
        throughput=None,
        attr=[{"AttributeName": name, "AttributeType": kind} for name, kind in table.attribute_types.items()],
        global_indexes=[_index(index) for index in table.global_indexes],
        indexes=[_index(index) for index in table.local_indexes],
        streams={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},  # tells what changed
        billing_mode="PAY_PER_REQUEST",
        sse_specification=None,
        tags=[],
        deletion_protection_enabled=False,
        warm_throughput=None,
    )


def _shape(table: Table) -> tuple[object, ...]:
    """What items cannot keep when it changes."""
    return table.keys, table.attribute_types, table.global_indexes, table.local_indexes


def _schema(keys: tuple[str, ...]) -> list[dict[str, str]]:
    return [{"AttributeName": name, "KeyType": kind} for name, kind in zip(keys, ("HASH", "RANGE"), strict=False)]


def _index(index: Index) -> dict[str, Any]:
    projection = {"ProjectionType": index.projection, "NonKeyAttributes": list(index.projected)}
    return {"IndexName": index.name, "KeySchema": _schema(index.keys), "Projection": projection}


def _expiry(table: Table, item: Mapping[str, Any]) -> float | None:
    """When an item is to be deleted, in seconds since 1970; None when it is not."""
    value = item.get(table.expiry_attribute or "", {}).get("N")
    return None if value is None else float(value)
