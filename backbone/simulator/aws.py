"""AWS as functions see it: EventBridge and SQS are the simulator's own, DynamoDB is moto's; IAM stands before all."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from backbone.simulator.functions import Call, Reply
from backbone.simulator.world import Function, Message, Queue, Table, World
from backbone.system.iam import Identity, authorize

if TYPE_CHECKING:
    from backbone.simulator.simulator import Simulator

__all__ = ["Tables", "answer", "environment", "put_events"]


def environment(function: Function, region: str) -> dict[str, str]:
    """What Lambda adds to a function's environment, and what keeps it on this machine."""
    return {
        "AWS_ACCESS_KEY_ID": "SIMULATED",
        "AWS_SECRET_ACCESS_KEY": "SIMULATED",
        "AWS_SESSION_TOKEN": "SIMULATED",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_mb),
        "AWS_LAMBDA_LOG_GROUP_NAME": function.log_group,
        "POWERTOOLS_TRACE_DISABLED": "true",
        "PATH": os.environ.get("PATH", ""),
        "TZ": "UTC",
    }


class Tables:
    """The DynamoDB tables of a world, in moto's engine, apart from any other."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._backends: dict[tuple[str, str], Any] = {}

    def answer(self, arn: str, call: Call) -> Reply:
        """What DynamoDB answers a request about a table."""
        # moto takes a third of a second to import, and only functions need it.
        from botocore.awsrequest import AWSPreparedRequest
        from moto.core.exceptions import ServiceException
        from moto.core.request import normalize_request
        from moto.dynamodb.responses import DynamoHandler

        region, account_id = arn.split(":")[3:5]
        backend = self._backend(account_id, region)

        class Handler(DynamoHandler):
            @property
            def dynamodb_backend(self) -> Any:
                return backend

        headers: Any = dict(call.headers)
        prepared = AWSPreparedRequest(call.method, call.url, headers, call.body, False)
        try:
            status, more, body = Handler()._dispatch(normalize_request(prepared))
        except ServiceException as error:
            return _error(str(getattr(error, "code", "InternalServerError")), str(error))
        content = body.encode() if isinstance(body, str) else body
        return Reply(int(status), {str(key): str(value) for key, value in more.items()}, content)

    def _backend(self, account_id: str, region: str) -> Any:
        if (account_id, region) not in self._backends:
            from moto.dynamodb.models import DynamoDBBackend

            backend = self._backends[account_id, region] = DynamoDBBackend(region, account_id)
            for table in self._world.of(Table):
                if table.account_id == account_id and table.arn.split(":")[3] == region:
                    backend.create_table(
                        table.name,
                        schema=[{"AttributeName": table.key, "KeyType": "HASH"}],
                        throughput=None,
                        attr=[{"AttributeName": table.key, "AttributeType": "S"}],
                        global_indexes=None,
                        indexes=None,
                        streams=None,
                        billing_mode="PAY_PER_REQUEST",
                        sse_specification=None,
                        tags=[],
                        deletion_protection_enabled=False,
                        warm_throughput=None,
                    )
        return self._backends[account_id, region]

    def items(self, name: str) -> list[dict[str, Any]]:
        """The items of a table, in DynamoDB's JSON."""
        table = self._world.find(Table, name)
        if table is None:
            return []
        region, account_id = table.arn.split(":")[3:5]
        found = self._backend(account_id, region).tables[table.name]
        return [item.to_json()["Attributes"] for item in found.all_items()]


def answer(simulator: Simulator, tables: Tables, who: Identity, call: Call) -> Reply:
    """What AWS answers a request of an identity."""
    headers = {name.lower(): value for name, value in call.headers.items()}
    service, _, operation = headers.get("x-amz-target", "").partition(".")
    if service == "AWSEvents" and operation == "PutEvents":
        return put_events(simulator, who, call.body)
    if service.startswith("DynamoDB"):
        return _dynamodb(simulator, tables, who, operation, call)
    if service == "AmazonSQS":
        return _sqs(simulator, who, operation, json.loads(call.body))
    host = urlsplit(call.url).netloc
    simulator.node("refused", host, who.account_id, f"{operation or call.method} is not simulated")
    return _error("NotSimulated", f"{operation or call.method} of {host} is not simulated", 501)


def put_events(simulator: Simulator, who: Identity, body: bytes) -> Reply:
    """What PutEvents answers."""
    entries = json.loads(body or b"{}").get("Entries", [])
    if not 1 <= len(entries) <= 10:
        return _error("ValidationException", f"Entries: {len(entries)} where 1 to 10 are allowed")
    return _reply(simulator.put_events(entries, caller=who))


def _dynamodb(simulator: Simulator, tables: Tables, who: Identity, operation: str, call: Call) -> Reply:
    asked = _asked(operation, json.loads(call.body))
    if not asked:
        return _error("NotSimulated", f"dynamodb:{operation} is not simulated", 501)
    arn = ""
    for name, action in asked:
        found = [one for one in simulator.world.of(Table) if name in one.names]
        table = next((one for one in found if one.account_id == who.account_id), found[0] if found else None)
        if table is None:
            return _error("ResourceNotFoundException", f"Requested resource not found: Table: {name} not found")
        decision = authorize(who, action, table.arn, owner=table.account_id, policy=None, context={})
        if not decision:
            simulator.node(
                "denied", table.name, table.account, f"{action}: {decision.why}", code="AccessDeniedException"
            )
            return _error("AccessDeniedException", decision.why)
        if simulator.strikes_call(table.names):
            simulator.node("refused", table.name, table.account, f"{action}: throttled by a fault")
            return _error("ThrottlingException", "throttled by a fault")
        simulator.node("call", table.name, table.account, action)
        arn = table.arn
    return tables.answer(arn, call)


def _asked(operation: str, given: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The tables of a request, each with the action that it needs (service authorization reference, DynamoDB)."""
    if "TableName" in given:
        return [(str(given["TableName"]), f"dynamodb:{operation}")]
    if "RequestItems" in given:
        return [(name, f"dynamodb:{operation}") for name in given["RequestItems"]]
    parts = [(kind, one) for item in given.get("TransactItems", []) for kind, one in item.items()]
    return [(str(one["TableName"]), f"dynamodb:{kind}Item") for kind, one in parts]


def _sqs(simulator: Simulator, who: Identity, operation: str, given: Mapping[str, Any]) -> Reply:
    url = given.get("QueueUrl")
    queue = next((one for one in simulator.world.of(Queue) if one.url == url), None)
    if queue is None:
        return _error("AWS.SimpleQueueService.NonExistentQueue", f"there is no queue {url}")
    action = f"sqs:{operation}"
    context = {"aws:PrincipalArn": who.name, "aws:PrincipalAccount": who.account_id}
    decision = authorize(who, action, queue.arn, owner=queue.account_id, policy=queue.policy, context=context)
    if not decision:
        simulator.node("denied", queue.name, queue.account, f"{action}: {decision.why}", code="AccessDenied")
        return _error("AccessDenied", decision.why, 403)
    if operation != "SendMessage":
        return _error("NotSimulated", f"{action} is not simulated", 501)
    if simulator.strikes_call(queue.names):
        return _error("ThrottlingException", "throttled by a fault")
    body = str(given["MessageBody"])
    message = Message(body, {}, simulator.new_id(), visible_at=simulator.now)
    queue.messages.append(message)
    simulator.rejected(queue)
    simulator.poll(queue)
    digest = hashlib.md5(body.encode(), usedforsecurity=False).hexdigest()
    return _reply({"MessageId": message.id, "MD5OfMessageBody": digest})


def _reply(content: Mapping[str, Any], status: int = 200) -> Reply:
    return Reply(status, {"content-type": "application/x-amz-json-1.1"}, json.dumps(content).encode())


def _error(code: str, message: str, status: int = 400) -> Reply:
    return _reply({"__type": code, "message": message}, status)
