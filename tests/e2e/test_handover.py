"""The Terraform module that a team is handed, in a configuration of the team's own, under real Terraform."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from backbone.development.handover import hand_over
from backbone.topology import parse
from tests.conftest import ROOT
from tests.e2e.terraform import Terraform, moto_server
from tests.synthesis import Json

pytestmark = pytest.mark.e2e

TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}},
    ],
}


def own(to: str, key: bool) -> Json:
    """What the team has, and a bus in place of the backbone's."""
    resources: Json = {
        "aws_cloudwatch_event_bus": {"local": {"name": "shop-invoice-service"}},
        "aws_iam_role": {"mine": {"name": "invoices", "assume_role_policy": json.dumps(TRUST)}},
    }
    call: Json = {"source": "./handed/terraform", "role_name": "${aws_iam_role.mine.name}"}
    call["depends_on"] = ["aws_cloudwatch_event_bus.local"]
    if to == "queue":
        resources["aws_sqs_queue"] = {"mine": {"name": "invoices"}}
        call |= {"queue_arn": "${aws_sqs_queue.mine.arn}", "queue_url": "${aws_sqs_queue.mine.url}"}
    else:
        resources["aws_lambda_function"] = {
            "mine": {
                "function_name": "invoices",
                "role": "${aws_iam_role.mine.arn}",
                "filename": "code.zip",
                "handler": "handler.on_event",
                "runtime": "python3.13",
            }
        }
        call["function_arn"] = "${aws_lambda_function.mine.arn}"
    if key:
        resources["aws_kms_key"] = {"mine": {"enable_key_rotation": True}}
        call["kms_key_arn"] = "${aws_kms_key.mine.arn}"
    outputs = {"queue": {"value": "${module.backbone.dead_letters_queue_arn}"}}
    provider = {"aws": {"region": "eu-west-1"}}
    return {"provider": provider, "resource": resources, "module": {"backbone": call}, "output": outputs}


@pytest.mark.parametrize(("to", "key"), [("function", True), ("queue", False)])
def test_validate_and_apply(to: Any, key: bool, tmp_path: Path) -> None:
    document = yaml.safe_load((ROOT / "backbone.yaml").read_text())
    document["accounts"]["invoice"] = {"id": "444444444444", **({"kms_key": "create"} if key else {})}
    events = {"publishes": ["Invoice.Paid"], "subscribes": ["Order.Created"]}
    document["services"]["invoice-service"] = {"account": "invoice", **events}
    hand_over(parse(yaml.safe_dump(document)), "invoice-service", tmp_path / "handed", to=to, language="python")
    with zipfile.ZipFile(tmp_path / "code.zip", "w") as archive:
        archive.write(ROOT / "main.py", "handler.py")
    (tmp_path / "main.tf.json").write_text(json.dumps(own(to, key)))
    module = json.loads((tmp_path / "handed" / "terraform" / "main.tf.json").read_text())
    with moto_server(tmp_path / "moto.log") as url:
        terraform = Terraform(tmp_path, url)
        terraform.init()
        terraform.run("validate")
        terraform.run("apply", "-auto-approve")
        made = {f"module.backbone.{kind}.{name}" for kind, named in module["resource"].items() for name in named}
        assert made <= {*terraform.resources()}
        assert terraform.second_plan() == []
        terraform.run("destroy", "-auto-approve")
