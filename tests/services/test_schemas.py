"""What the example promises to its consumers holds."""

from __future__ import annotations

import json

import pytest

from backbone.development.schemas import breaking_changes, published, schema
from backbone.sources import folder_of
from services.delivery import events as delivery
from services.order import events as order
from tests.services.conftest import load_event


@pytest.mark.parametrize(
    ("module", "events"),
    [("services.order", ["Order.Created", "Order.Updated"]), ("services.delivery", ["Delivery.Updated"])],
)
def test_schemas_are_published_and_kept(module: str, events: list[str]) -> None:
    models = published(module)
    assert [model.detail_type for model in models] == events
    files = {file.name for file in (folder_of(module) / "schemas").iterdir()}
    for model in models:
        name = f"{model.detail_type}.v{model.version}.json"
        assert name in files, "backbone schemas writes it"
        old = json.loads((folder_of(module) / "schemas" / name).read_text())
        assert breaking_changes(old, schema(model)) == []
        assert old == schema(model), "backbone schemas writes it anew"


def test_consumers_understand_publishers() -> None:
    created = order.OrderCreated.model_validate(load_event("order-created")["detail"]["data"])
    assert delivery.OrderCreated.model_validate(created.model_dump(mode="json")).order_id == created.order_id
    updated = delivery.DeliveryUpdated.model_validate(load_event("delivery-updated")["detail"]["data"])
    assert order.DeliveryUpdated.model_validate(updated.model_dump(mode="json")).sequence == updated.sequence
