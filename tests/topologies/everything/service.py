"""Every construct that a service can have, once."""

from __future__ import annotations

from backbone.constructs.api_destination import ApiDestination
from backbone.constructs.http_api import Cors, HttpApi, Jwt
from backbone.constructs.service import Service
from backbone.constructs.stream import Stream
from backbone.constructs.table import Table


def build(service: Service) -> None:
    seconds = service.setting("timeout_seconds", default=10)
    handler = "tests.topologies.everything.handlers.work"
    function = service.function("work", handler=handler, timeout_seconds=seconds, reserved_concurrency=5)
    service.grant_publish(function, "Work.Done")
    account, name = service.account, service.name_of
    table = Table(
        service, "things", account=account, name=name("things"), key="id", expires="until", deletion_protection=False
    )
    table.grant(function, "GetItem", "PutItem")
    service.subscribe("direct", "Work.Asked", to=function)
    service.subscribe("buffered", "Work.Asked", to=function, buffer=True)
    stream = Stream(service, "stream", account=account, name=name("stream"), retention_hours=24 + seconds)
    service.subscribe("kept", "Work.Asked", to=stream, partition_key_path="$.detail.id")
    partner = ApiDestination(
        service,
        "partner",
        account=account,
        name=name("partner"),
        endpoint="https://partner.example/hook",
        secret_variable="partner_key",
        calls_per_second=seconds,
    )
    service.subscribe("told", "Work.Asked", to=partner)
    HttpApi(
        service,
        "api",
        account=account,
        name=name("api"),
        routes={"POST /things": function},
        log_retention_days=service.log_retention_days,
        authorization=Jwt("https://issuer.example", ("shop",)),
        cors=Cors((f"https://shop{seconds}.example",)),
        requests_per_second=seconds,
    )
