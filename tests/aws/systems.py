"""Small systems as Terraform JSON, made from the few words of a case: buses, rules, queues, functions and the like.

Every permission is there that deliveries need, so that a case says only what it is about.
"""

from __future__ import annotations

import json
import zipfile
from collections import defaultdict
from pathlib import Path
from typing import Any

__all__ = ["Terraform", "arn", "url"]

ACCOUNTS = {"a": "111111111111", "b": "222222222222", "c": "333333333333"}
REGIONS = {"a": "eu-central-1", "b": "eu-central-1", "c": "us-west-2"}
ANYONE = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}
SERVICES = ["events.amazonaws.com", "lambda.amazonaws.com", "pipes.amazonaws.com"]
TRUST = {"Effect": "Allow", "Principal": {"Service": SERVICES}, "Action": "sts:AssumeRole"}
ALL = {"Effect": "Allow", "Action": "*", "Resource": "*"}
SEND = """import boto3, os
def handle(event, context):
    queues = boto3.client("sqs")
    for message in event["detail"]["messages"]:
        queues.send_message(**message)
"""


def policy(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


class Terraform:
    """The stack of a system, written into a folder by `write`. Targets are named by kind, as in `queue:inbox`.

    `blocks` are further resource blocks, as Terraform has them.
    """

    def __init__(self, described: dict[str, Any], blocks: dict[str, dict[str, Any]] | None = None) -> None:
        self._resources: dict[str, dict[str, dict[str, Any]]] = defaultdict(dict)
        self._code: dict[str, str] = {}
        for account in ACCOUNTS:
            self._role(f"account-{account}", account)
        for kind in ("bus", "queue", "log", "stream", "table", "function", "rule", "pipe", "archive", "api"):
            for name, about in (described.get(kind) or {}).items():
                getattr(self, f"_{kind}")(name, **about)
        for type_, named in (blocks or {}).items():
            self._resources[type_] |= named

    def write(self, folder: Path) -> Path:
        """Write the stack and the zips of its functions; returns the folder."""
        stack = folder / "stacks" / "s"
        stack.mkdir(parents=True)
        for name, code in self._code.items():
            with zipfile.ZipFile(stack / f"{name}.zip", "w") as archive:
                archive.writestr("code.py", code)
        providers = [
            {"alias": name, "region": REGIONS[name], "allowed_account_ids": [number]}
            for name, number in ACCOUNTS.items()
        ]
        read = {"provider": {"aws": providers}, "resource": self._resources}
        (stack / "cdk.tf.json").write_text(json.dumps(read), encoding="utf-8")
        return folder

    def _add(self, address: str, account: str, **body: Any) -> None:
        type_, _, name = address.partition(".")
        self._resources[type_][name.replace(".", "-")] = {"provider": f"aws.{account}", **body}

    def _bus(self, name: str, *, account: str = "a", again: bool = False) -> None:
        if name != "default":
            self._add(f"aws_cloudwatch_event_bus.{name}", account, name=name)
        if again:
            self._add(f"aws_cloudwatch_event_bus.{name}-again", account, name=name)
        statement = ANYONE | {"Action": "events:PutEvents", "Resource": arn(f"bus:{name}", account)}
        self._add(f"aws_cloudwatch_event_bus_policy.{name}", account, event_bus_name=name, policy=policy(statement))

    def _queue(
        self, name: str, *, account: str = "a", dead_letters: str = "", max_receives: int = 1, **more: Any
    ) -> None:
        if dead_letters:
            redrive = {"deadLetterTargetArn": arn(f"queue:{dead_letters}", account), "maxReceiveCount": max_receives}
            more["redrive_policy"] = json.dumps(redrive)
        self._add(f"aws_sqs_queue.{name}", account, name=name, **more)
        statement = ANYONE | {"Action": "sqs:*", "Resource": arn(f"queue:{name}", account)}
        self._add(f"aws_sqs_queue_policy.{name}", account, queue_url=url(name, account), policy=policy(statement))

    def _log(self, name: str, *, account: str = "a") -> None:
        self._add(f"aws_cloudwatch_log_group.{name}", account, name=name)
        document = policy(ANYONE | {"Action": "logs:*"})
        self._add(f"aws_cloudwatch_log_resource_policy.{name}", account, policy_name=name, policy_document=document)

    def _stream(self, name: str, *, account: str = "a") -> None:
        self._add(f"aws_kinesis_stream.{name}", account, name=name, shard_count=1)

    def _table(self, name: str, *, account: str = "a", attribute: dict[str, str] | None = None, **more: Any) -> None:
        more = {"hash_key": "id", "attribute": {"id": "S"} | (attribute or {}), **more}
        more["attribute"] = [{"name": key, "type": kind} for key, kind in more["attribute"].items()]
        self._add(f"aws_dynamodb_table.{name}", account, name=name, billing_mode="PAY_PER_REQUEST", **more)

    def _role(self, name: str, account: str) -> str:
        self._add(f"aws_iam_role.{name}", account, name=name, assume_role_policy=policy(TRUST))
        self._add(f"aws_iam_role_policy.{name}", account, role=name, policy=policy(ALL))
        return f"arn:aws:iam::{ACCOUNTS[account]}:role/{name}"

    def _function(
        self,
        name: str,
        *,
        account: str = "a",
        code: str = SEND,
        reads: dict[str, Any] | None = None,
        retries: dict[str, Any] | None = None,
        **more: Any,
    ) -> None:
        self._code[name] = code
        self._add(
            f"aws_lambda_function.{name}",
            account,
            function_name=name,
            role=self._role(name, account),
            handler="code.handle",
            runtime="python3.11",
            filename=f"{name}.zip",
            logging_config=[{"log_format": "Text", "log_group": f"/aws/lambda/{name}"}],
            **more,
        )
        for service in ("events", "apigateway"):
            permission = {"action": "lambda:InvokeFunction", "principal": f"{service}.amazonaws.com"}
            self._add(f"aws_lambda_permission.{name}-{service}", account, function_name=name, **permission)
        if reads:
            mapping = {name: value for name, value in reads.items() if name not in ("from", "again", "to")}
            if "to" in reads:
                mapping["destination_config"] = [{"on_failure": [{"destination_arn": arn(reads["to"], account)}]}]
            mapping |= {"function_name": name, "event_source_arn": arn(reads["from"], account)}
            for suffix in ("", "-again") if reads.get("again") else ("",):
                self._add(f"aws_lambda_event_source_mapping.{name}{suffix}", account, **mapping)
        if retries:
            to = {key: [{"destination": arn(where, account)}] for key, where in retries.get("to", {}).items()}
            config = {name: value for name, value in retries.items() if name != "to"}
            config["destination_config"] = [to]
            self._add(f"aws_lambda_function_event_invoke_config.{name}", account, function_name=name, **config)

    def _rule(
        self, name: str, *, to: Any, bus: str = "default", account: str = "a", pattern: Any = None, **more: Any
    ) -> None:
        if not {"schedule_expression", "event_pattern"} & {*more}:
            more["event_pattern"] = json.dumps(pattern or {"source": [{"prefix": ""}]})
        self._add(f"aws_cloudwatch_event_rule.{name}", account, name=name, event_bus_name=bus, **more)
        for number, target in enumerate(to):
            about = {"to": target} if isinstance(target, str) else dict(target)
            where = about.pop("to")
            kind = where.partition(":")[0]
            if kind in ("bus", "stream"):
                about["role_arn"] = self._role(f"{name}-{number}", account)
            if letters := about.pop("dead_letters", None):
                about["dead_letter_config"] = [{"arn": arn(f"queue:{letters}", account)}]
            about["arn"] = arn(where, about.pop("account", account))
            about = {"target_id": f"t{number}"} | about
            self._add(f"aws_cloudwatch_event_target.{name}-{number}", account, rule=name, event_bus_name=bus, **about)

    def _pipe(self, name: str, *, reads: dict[str, Any], to: str, account: str = "a", **more: Any) -> None:
        """`reads` has the source as `from`, `filters` and the source's parameters; `more` are other arguments."""
        given = dict(reads)
        source, filters = given.pop("from"), given.pop("filters", [])
        kind = {"queue": "sqs_queue", "table": "dynamodb_stream", "stream": "kinesis_stream"}[source.partition(":")[0]]
        if kind != "sqs_queue":
            given = {"starting_position": "TRIM_HORIZON"} | given
        parameters: dict[str, Any] = {f"{kind}_parameters": [given]} if given else {}
        if filters:
            written = [{"pattern": json.dumps(one)} for one in filters]
            parameters["filter_criteria"] = [{"filter": written}]
        self._add(
            f"aws_pipes_pipe.{name}",
            account,
            name=name,
            role_arn=self._role(f"pipe-{name}", account),
            source=arn(source, account),
            target=to if to.startswith("arn:") else arn(to, account),
            source_parameters=[parameters],
            depends_on=[f"aws_iam_role_policy.pipe-{name}"],
            **more,
        )

    def _archive(self, name: str, *, bus: str = "default", account: str = "a", **more: Any) -> None:
        source = arn(f"bus:{bus}", account)
        self._add(f"aws_cloudwatch_event_archive.{name}", account, name=name, event_source_arn=source, **more)

    def _api(
        self,
        name: str,
        *,
        routes: dict[str, dict[str, Any]],
        account: str = "a",
        stage: dict[str, Any] | None = None,
        **arguments: Any,
    ) -> None:
        own = f"${{aws_apigatewayv2_api.{name}.id}}"
        self._add(f"aws_apigatewayv2_api.{name}", account, name=name, protocol_type="HTTP", **arguments)
        deployed = {"api_id": own, "name": "$default", "auto_deploy": True} | (stage or {})
        self._add(f"aws_apigatewayv2_stage.{name}", account, **deployed)
        for number, (key, about) in enumerate(routes.items()):
            where = f"{name}-{number}"
            more = dict(about)
            function, version = more.pop("to"), more.pop("format", "2.0")
            uri = f"arn:aws:apigateway:{REGIONS[account]}:lambda:path/2015-03-31/functions/{arn(function)}/invocations"
            integration = {"integration_type": "AWS_PROXY", "payload_format_version": version, "integration_uri": uri}
            self._add(f"aws_apigatewayv2_integration.{where}", account, api_id=own, **integration)
            target = f"integrations/${{aws_apigatewayv2_integration.{where}.id}}"
            self._add(f"aws_apigatewayv2_route.{where}", account, api_id=own, route_key=key, target=target, **more)


def url(queue: str, account: str = "a") -> str:
    return f"https://sqs.{REGIONS[account]}.amazonaws.com/{ACCOUNTS[account]}/{queue}"


def arn(where: str, account: str = "a") -> str:
    kind, _, name = where.partition(":")
    service, prefix = {
        "bus": ("events", "event-bus/"),
        "queue": ("sqs", ""),
        "log": ("logs", "log-group:"),
        "stream": ("kinesis", "stream/"),
        "function": ("lambda", "function:"),
        "table": ("dynamodb", "table/"),
        "topic": ("sns", ""),
        "bucket": ("s3", ""),
    }[kind]
    if kind == "bucket":
        return f"arn:aws:s3:::{name}"
    name += "/stream/2024-01-01T00:00:00.000" if kind == "table" else ""
    return f"arn:aws:{service}:{REGIONS[account]}:{ACCOUNTS[account]}:{prefix}{name}"
