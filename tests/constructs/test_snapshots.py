"""Each construct alone: the Terraform that it makes, as its reviewers read it. `make snapshot` writes it anew."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import pytest
from syrupy.assertion import SnapshotAssertion

from backbone.aws import policies
from backbone.aws.arn import Place
from backbone.aws.key_policies import KeyUse, policy
from backbone.aws.names import GLOBAL, Names
from backbone.cdk import App, Construct, TerraformStack
from backbone.constructs.account import Access, Account, EmptyAccount, NewKey
from backbone.constructs.api_destination import ApiDestination
from backbone.constructs.dead_letter_queue import DeadLetterQueue
from backbone.constructs.event_bus import EventBus
from backbone.constructs.forwarding import Forwarding
from backbone.constructs.function import Code, Function
from backbone.constructs.http_api import Cors, HttpApi, Jwt
from backbone.constructs.log_group import log_group
from backbone.constructs.queue import Queue
from backbone.constructs.role import Role
from backbone.constructs.rule import Rule
from backbone.constructs.service import Service, Surroundings
from backbone.constructs.stream import Stream
from backbone.constructs.subscription import Subscription
from backbone.constructs.table import Table
from backbone.topology import routing
from backbone.topology.entries import BusEntry
from backbone.topology.hubs import Hub
from backbone.topology.logs import BusLog
from backbone.topology.retry import Retry
from tests.synthesis import Json, decoded, resources
from tests.synthesis.reviewed import ReviewedJson

PLACE = Place("aws", "eu-west-1", "111111111111")
ACCESS = Access(PLACE, deploy_role="ci/deploy", tags={"team": "platform"})
KEY = "arn:aws:kms:eu-west-1:111111111111:key/1"
ARN = "arn:aws:events:eu-west-1:222222222222:event-bus/elsewhere"
NAMES = Names("shop", "eu-west-1")
HUB = Hub(GLOBAL, "shop-global", PLACE, "bus", BusEntry(account="bus"))
RETRY = Retry(max_age_seconds=600, max_attempts=3)

Build = Callable[[Construct, Account], object]


def name_of(role: str, longest: int = 64, /) -> str:
    return f"shop-orders-{role}"[:longest]


def bus(scope: Construct, account: Account, id: str = "bus") -> EventBus:
    policy = policies.local_bus(PLACE.bus("events"), {PLACE.iam("role/forwarder"): PLACE})
    return EventBus(
        scope,
        id,
        account=account,
        name="events",
        description="A bus",
        policy=policy,
        log_retention_days=7,
        retry=RETRY,
    )


def reporting_bus(scope: Construct, account: Account) -> None:
    reporting = EventBus(
        scope,
        "it",
        account=account,
        name="shop.events",
        description="A bus",
        policy=None,
        log_retention_days=7,
        retry=RETRY,
        reports=BusLog(level="INFO", detail="FULL"),
    )
    reporting.archive(retention_days=30)


def discreet_bus(scope: Construct, account: Account) -> None:
    EventBus(
        scope,
        "it",
        account=account,
        name="shop.events",
        description="A bus",
        policy=None,
        log_retention_days=7,
        retry=RETRY,
        confidential=routing.Confidential(("Order.Created",), ("billing",)),
    )


def function(scope: Construct, account: Account, id: str = "work") -> Function:
    return Function(
        scope,
        id,
        account=account,
        name_of=name_of,
        code=Code("assets/orders.zip", "c2hhLTI1Ng=="),
        handler="orders.work",
        layers=["arn:aws:lambda:eu-west-1:333333333333:layer:powertools:1"],
        environment={"TABLE": "orders"},
        log_retention_days=7,
        timeout_seconds=20,
        reserved_concurrency=5,
    )


def forwarding(scope: Construct, account: Account) -> None:
    pattern = {"account": [{"anything-but": ["222222222222"]}]}
    name = bus(scope, account).name
    Forwarding(scope, "it", account=account, bus=HUB, bus_name=name, to=ARN, pattern=pattern, names=NAMES, retry=RETRY)


def subscription(
    scope: Construct, account: Account, to: Function | Stream | ApiDestination, *, buffer: bool = False
) -> None:
    Subscription(
        scope,
        "it",
        account=account,
        bus_name=bus(scope, account).name,
        name_of=name_of,
        pattern={"detail-type": ["Order.Created"]},
        to=to,
        retry=RETRY,
        buffer=buffer,
        partition_key_path="$.detail.id",
    )


def stream(scope: Construct, account: Account, id: str = "stream") -> Stream:
    return Stream(scope, id, account=account, name="stream")


def api_destination(scope: Construct, account: Account, id: str = "partner") -> ApiDestination:
    endpoint = "https://partner.example/hook"
    return ApiDestination(scope, id, account=account, name="partner", endpoint=endpoint, secret_variable="partner_key")


def http_api(scope: Construct, account: Account, authorization: Literal["iam"] | Jwt, cors: Cors | None) -> None:
    answering = function(scope, account)
    HttpApi(
        scope,
        "it",
        account=account,
        name="api",
        routes={"POST /orders": answering, "GET /orders/{id}": answering},
        log_retention_days=7,
        authorization=authorization,
        cors=cors,
    )


def table(scope: Construct, account: Account) -> None:
    it = Construct(scope, "it")
    made = Table(it, "orders", account=account, name="orders", key="id", expires="expires_at", streamed=True)
    made.grant(function(it, account, "reader"), "GetItem", "PutItem")


def role(scope: Construct, account: Account) -> None:
    trust = policies.trust("lambda.amazonaws.com")
    it = Role(Construct(scope, "it"), account=account, name="runner", description="Runs it", trust=trust)
    it.allow("role-policy", "read", policies.allow(["s3:GetObject"], "arn:aws:s3:::files/*"))


def rule(scope: Construct, account: Account) -> None:
    it = Rule(
        Construct(scope, "it"),
        account=account,
        bus_name="events",
        name="all",
        description="Everything",
        pattern={"source": [{"prefix": ""}]},
        dead_letters_name="all-dead-letters",
    )
    sender = it.role(name="sender", description="Sends")
    permission = sender.allow("role-policy", "put-events", policies.put_events(ARN))
    it.send_to(ARN, target_id="elsewhere", retry=RETRY, after=[permission], role=sender)


def service(scope: Construct, account: Account) -> None:
    Service(
        scope,
        "it",
        around=Surroundings(account, NAMES, PLACE.bus("shop-global"), RETRY, forwarders=[HUB]),
        source="orders",
        bus_name="orders",
        makes_bus=True,
        subscriptions=[],
        settings={},
        code=None,
        log_retention_days=7,
    )


JWT = Jwt("https://issuer.example", ("shop",))
CASES: dict[str, Build] = {
    "api-destination": lambda scope, account: api_destination(scope, account, "it"),
    "bus": lambda scope, account: bus(scope, account, "it"),
    "bus-that-reports": reporting_bus,
    "bus-with-confidential-events": discreet_bus,
    "dead-letter-queue": lambda scope, account: DeadLetterQueue(
        scope, "it", account=account, name="dead-letters", source_arn=PLACE.rule("events", "all")
    ),
    "forwarding": forwarding,
    "function": lambda scope, account: function(scope, account, "it"),
    "http-api": lambda scope, account: http_api(scope, account, "iam", None),
    "http-api-with-tokens": lambda scope, account: http_api(scope, account, JWT, Cors(("https://shop.example",))),
    "log-group": lambda scope, account: log_group(scope, "it", account=account, name="/logs", retention_days=7),
    "queue": lambda scope, account: Queue(
        scope, "it", account=account, name="queue", visibility_timeout_seconds=90, dead_letters_arn=ARN
    ),
    "role": role,
    "rule": rule,
    "service-without-module": service,
    "stream": lambda scope, account: stream(scope, account, "it"),
    "subscription-of-a-function": lambda scope, account: subscription(scope, account, function(scope, account)),
    "subscription-with-a-buffer": lambda scope, account: subscription(
        scope, account, function(scope, account), buffer=True
    ),
    "subscription-of-a-partner": lambda scope, account: subscription(scope, account, api_destination(scope, account)),
    "subscription-of-a-stream": lambda scope, account: subscription(scope, account, stream(scope, account)),
    "table": table,
}
"""What builds each construct under the id `it`; what else it needs has other ids, and is not shown."""


def synthesize(folder: Path, build: Callable[[TerraformStack], object]) -> Json:
    app = App(outdir=str(folder))
    build(TerraformStack(app, "stack"))
    app.synth()
    document: Json = json.loads((folder / "stacks" / "stack" / "cdk.tf.json").read_text())
    return document


def shown(document: Json) -> Json:
    """The resources of the construct by their paths in it."""
    found = {}
    for one in resources({"stack": document}):
        path, body = one.path.removeprefix("it/"), {key: one.body[key] for key in one.body if key != "//"}
        if one.path.startswith("it"):
            assert body.pop("provider") == "aws.account"
            found[path] = {one.kind: decoded(body)}
    return dict(sorted(found.items()))


def made(folder: Path, name: str, key: str | None = None) -> Json:
    def build(stack: TerraformStack) -> None:
        CASES[name](stack, Account(stack, "account", access=ACCESS, logs_policy_name="events", kms_key=key))

    return shown(synthesize(folder, build))


@pytest.mark.parametrize("name", CASES)
def test_construct(name: str, tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    assert made(tmp_path, name) == snapshot(extension_class=ReviewedJson)


def attributes(document: Json) -> Iterator[tuple[str, str]]:
    """Every argument of every resource, and its value as JSON."""
    for path, one in document.items():
        for kind, body in one.items():
            yield from ((f"{path}: {kind}.{key}", json.dumps(value)) for key, value in body.items())


def test_what_a_key_of_the_accounts_own_changes(tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    changed = {
        name: [key for key, _ in sorted({*attributes(made(tmp_path, name, KEY))} - {*attributes(made(tmp_path, name))})]
        for name in CASES
    }
    assert changed == snapshot(extension_class=ReviewedJson)


@pytest.mark.parametrize("name", ["account", "account-with-a-key", "account-with-bus-reports", "empty-account"])
def test_account(name: str, tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    def build(stack: TerraformStack) -> None:
        if name == "empty-account":
            EmptyAccount(stack, "account", access=ACCESS)
        else:
            vended = name == "account-with-bus-reports"
            key = NewKey("alias/shop", "Encrypts", policy(KeyUse(PLACE, ["shop-global", "shop-orders"], archive=True)))
            Account(
                stack,
                "account",
                access=ACCESS,
                logs_policy_name="events",
                vended_logs=vended,
                kms_key=key if name == "account-with-a-key" else None,
            )

    document = synthesize(tmp_path, build)
    found = {"provider": document["provider"]}
    found |= {one.kind: decoded({**one.body, "//": None}) for one in resources({"stack": document})}
    assert found == snapshot(extension_class=ReviewedJson)


def test_with_a_key_a_stream_takes_records_of_a_role_that_may_use_it(tmp_path: Path) -> None:
    granted = made(tmp_path, "subscription-of-a-stream", KEY)["role-policy"]["aws_iam_role_policy"]["policy"]
    assert granted["Statement"][0] == {
        "Action": "kms:GenerateDataKey",
        "Condition": {"StringEquals": {"kms:ViaService": "kinesis.eu-west-1.amazonaws.com"}},
        "Effect": "Allow",
        "Resource": KEY,
        "Sid": "Key",
    }
