"""Every construct that a service can have, once."""

from __future__ import annotations

from backbone.constructs.api_destination import ApiDestination
from backbone.constructs.delivery_stream import DeliveryStream
from backbone.constructs.ecs_task import EcsTask
from backbone.constructs.http_api import Cors, HttpApi, Jwt
from backbone.constructs.queue import Queue
from backbone.constructs.rest_api import RestApi
from backbone.constructs.service import Service
from backbone.constructs.state_machine import StateMachine
from backbone.constructs.stream import Stream
from backbone.constructs.table import Table
from backbone.constructs.topic import Topic


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
    topic = Topic(service, "topic", account=account, name_of=name)
    mailbox = Queue(service, "mailbox", account=account, name=name("mailbox"))
    topic.send_to("mailbox-of-topic", mailbox)
    topic.send_to("worker", function)
    service.subscribe("spread", "Work.Asked", to=topic)
    service.subscribe("plain", "Work.Asked", to=mailbox)
    machine = StateMachine(
        service,
        "steps",
        account=account,
        name_of=name,
        definition={"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}, "TimeoutSeconds": 60 * seconds},
        log_retention_days=service.log_retention_days,
        type="EXPRESS",
    )
    service.subscribe("started", "Work.Asked", to=machine)
    years = DeliveryStream(
        service,
        "years",
        account=account,
        name_of=name,
        log_retention_days=service.log_retention_days,
        archive_after_days=80 + seconds,
    )
    service.subscribe("kept-for-years", "Work.Asked", to=years)
    refused = Queue(service, "refused", account=account, name=name("refused"))
    asked = Queue(service, "asked", account=account, name=name("asked"), dead_letters_arn=refused.arn, max_receives=3)
    wanted = {"body": {"id": [{"exists": True}]}}
    service.pipe("wanted", source=asked, to=machine, batch_size=seconds, window_seconds=1, pattern=wanted)
    notes = service.table("notes", key="id", streamed=True, deletion_protection=False)
    changed = '{"pipe": "<aws.pipes.pipe-name>", "id": <$.dynamodb.Keys.id.S>}'
    service.pipe("noted", source=notes, to=years, input_template=changed, max_retry_attempts=2)
    service.schedule("nightly", "cron(30 2 * * ? *)", to=function, timezone="Europe/Berlin", input={"night": True})
    due = {"due": "<aws.scheduler.scheduled-time>"}
    service.schedule("queued", "rate(1 hour)", to=mailbox, window_minutes=15, input=due)
    service.schedule("announced", "rate(12 hours)", to=topic)
    service.schedule("stepped", "rate(1 day)", to=machine, input={})
    service.schedule("archived", "at(2024-01-03T06:00:00)", to=years)
    place = account.place
    task = EcsTask(
        service,
        "task",
        cluster_arn=place.arn("ecs", "cluster/jobs"),
        task_definition_arn=place.arn("ecs", "task-definition/report:3"),
        role_arns=[place.iam("role/report-task"), place.iam("role/report-execution")],
        subnets=["subnet-0123456789abcdef0"],
        security_groups=["sg-0123456789abcdef0"],
        container="report",
        environment={"WORK_ID": "$.detail.id"},
    )
    service.subscribe("reported", "Work.Asked", to=task)
    stage = place.arn("execute-api", "a1b2c3d4e5/live")
    route = RestApi(service, "route", stage_arn=stage, path="/tasks/*/asked", path_parameters=["$.detail.id"])
    service.subscribe("called", "Work.Asked", to=route)
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
