"""The systems that are edited: the example, and topologies with all that can be made, each with what is to happen."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from backbone import manifest, topology
from backbone.synthesis import output
from backbone.system import terraform
from mutants.edits import Edit, edits
from mutants.edits.edit import ASSETS, MANIFEST, Stacks

__all__ = ["BASES", "ORDER", "Base", "Entry", "delivery_updated", "synthesize"]

ROOT = Path(__file__).parent.parent
ORDER = {"customer": "c-1", "items": [{"sku": "tea", "quantity": 2, "price": 4.95}]}
META = {"correlation_id": "c-1", "version": 1, "idempotency_key": "k-1"}


def _detail(**data: Any) -> dict[str, Any]:
    return {"data": data, "meta": META}


@dataclass(frozen=True)
class Entry:
    """An event that an account puts on a bus: that of the system where it names none."""

    account: str
    source: str
    detail_type: str
    detail: Mapping[str, Any]
    bus: str | None = None


ORDER_CREATED = _detail(order_id="o-1", customer="c-1", items=[], total="0", created_at="2024-01-01T00:00:00.000+00:00")


def delivery_updated(order_id: str, *, sequence: int) -> dict[str, Any]:
    """The detail of an event that tells the state of an order's delivery."""
    time = "2024-01-01T00:00:00.000+00:00"
    return _detail(delivery_id="d-1", order_id=order_id, status="SENT", sequence=sequence, updated_at=time)


DELIVERY_UPDATED = delivery_updated("o-1", sequence=1)


CLAIMS = (
    base64.urlsafe_b64encode(b'{"iss": "https://issuer.example", "aud": "shop", "exp": 4102444800}')
    .decode()
    .rstrip("=")
)
"""What a caller's token says: until 2100, by the issuer and for the audience of the topology with everything."""


def _bus_of(account_id: str, name: str) -> str:
    return f"arn:aws:events:eu-west-1:{account_id}:event-bus/{name}"


@dataclass(frozen=True)
class Base:
    """A system that is edited. `orders` says in which account orders are posted; None where there is no such API."""

    name: str
    file: Path
    bus: str
    entries: Sequence[Entry]
    orders: str | None = None
    calls: Sequence[Mapping[str, Any]] = ()
    """Calls of an API, as arguments of `Simulator.http`."""
    requests: Sequence[tuple[str, str, str, Mapping[str, Any]]] = ()
    """What accounts ask of AWS's services: the account, the service, the operation as its header names it, the body."""
    arising: Sequence[tuple[str, Mapping[str, Any]]] = ()
    """Events of AWS services, each with the account on whose default bus they arise."""

    def folder(self, workspace: Path) -> Path:
        """Where its stacks are synthesized to."""
        return workspace / self.name


BASES = (
    Base(
        "example",
        ROOT / "backbone.yaml",
        "arn:aws:events:eu-west-1:111111111111:event-bus/shop-global",
        (
            Entry("order", "order-service", "Order.Created", ORDER_CREATED),
            Entry("delivery", "delivery-service", "Delivery.Updated", DELIVERY_UPDATED),
        ),
        orders="order",
    ),
    Base(
        "all-features",
        ROOT / "tests" / "topologies" / "all-features.yaml",
        "arn:aws:events:eu-central-1:111111111111:event-bus/shop.events",
        (
            Entry("order", "com.example.orders", "Order.Created", ORDER_CREATED),
            Entry("shared", "billing", "Invoice.Paid", _detail(invoice_id="i-1")),
            Entry("shared", "delivery-service", "Delivery.Updated", DELIVERY_UPDATED),
        ),
        arising=(
            ("bus", {"source": "aws.s3", "detail-type": "Object Created", "detail": {"object": {"size": 5}}}),
            ("bus", {"source": "aws.ecs", "detail-type": "ECS Task State Change", "detail": {}}),
        ),
    ),
    Base(
        "everything",
        ROOT / "tests" / "topologies" / "everything.yaml",
        _bus_of("111111111111", "shop-global"),
        (Entry("bus", "asker", "Work.Asked", {"id": "w-1", **_detail()}),),
        calls=(
            {"method": "POST", "path": "/things", "body": {}, "headers": {"authorization": f"Bearer x.{CLAIMS}.x"}},
        ),
        requests=(
            (
                "worker",
                "sqs",
                "AmazonSQS.SendMessage",
                {
                    "QueueUrl": "https://sqs.eu-west-1.amazonaws.com/222222222222/shop-worker-asked",
                    "MessageBody": '{"id": "w-1"}',
                },
            ),
            (
                "worker",
                "dynamodb",
                "DynamoDB_20120810.PutItem",
                {"TableName": "shop-worker-notes", "Item": {"id": {"S": "n-1"}}},
            ),
        ),
    ),
    Base(
        "multi-bus",
        ROOT / "examples" / "multi-bus" / "backbone.yaml",
        _bus_of("111111111111", "multi-bus-blue-global"),
        (
            Entry("blue", "com.example.blue", "Order.Placed", _detail()),
            Entry(
                "purple",
                "com.example.purple",
                "Payment.Taken",
                _detail(),
                _bus_of("222222222222", "multi-bus-purple-global"),
            ),
            Entry(
                "orange",
                "com.example.orange",
                "Parcel.Sent",
                _detail(),
                _bus_of("333333333333", "multi-bus-orange-global"),
            ),
        ),
    ),
)


def synthesize(base: Base, workspace: Path) -> None:
    """Write the stacks of a base. Its functions do not wait: no edit is about time that passes."""
    text = base.file.read_text(encoding="utf-8").replace("work_seconds: 5", "work_seconds: 0")
    output.synth(topology.parse(text), base.folder(workspace))


class Synthesized:
    """A base's stacks and its manifest, with all edits of them."""

    def __init__(self, base: Base, workspace: Path) -> None:
        self.base = base
        self.folder = base.folder(workspace)
        self.stacks: Stacks = {
            file.parent.name: json.loads(file.read_text(encoding="utf-8")) | {ASSETS: _zips(file.parent / "assets")}
            for file in sorted(self.folder.glob("stacks/*/cdk.tf.json"))
        } | {MANIFEST: json.loads((self.folder / manifest.FILE_NAME).read_text(encoding="utf-8"))}

    @cached_property
    def edits(self) -> list[Edit]:
        """Every edit of the stacks, in the order of the files."""
        return edits(self.stacks, terraform.load(self.folder))


def _zips(folder: Path) -> dict[str, dict[str, str]]:
    found = {}
    for file in sorted(folder.glob("*.zip")):
        with zipfile.ZipFile(file) as archive:
            found[file.name] = {name: archive.read(name).decode() for name in archive.namelist()}
    return found


def zipped(files: Mapping[str, str]) -> bytes:
    """A zip of some files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return buffer.getvalue()
