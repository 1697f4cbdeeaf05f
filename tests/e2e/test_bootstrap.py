"""The example deployed by a pipeline: bootstrapped by administrators, and then with the bootstrapped roles alone."""

from __future__ import annotations

import base64
import json
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from backbone.deployment.bootstrap.facts import Facts
from backbone.deployment.bootstrap.needs import calls
from backbone.deployment.bootstrap.stacks import PIPELINE, write
from backbone.synthesis import output
from backbone.topology import parse
from tests.deployment.bootstrapped import GITHUB, STATE, document
from tests.e2e.calls import record
from tests.e2e.terraform import Terraform, moto_server
from tests.e2e.test_apply import publish_layers
from tests.e2e.test_deploy import changed, deploy, start, wait_for
from tests.synthesis import Json, resources, synthesize

pytestmark = pytest.mark.e2e
DEPLOYS, PLANS = "repo:acme/backbone:ref:refs/heads/main", "repo:acme/backbone:pull_request"
Keys = dict[str, str]


def client(url: str, service: str, keys: Keys | None = None) -> Any:
    found = keys or {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
    session = boto3.Session(
        found["AWS_ACCESS_KEY_ID"], found["AWS_SECRET_ACCESS_KEY"], found.get("AWS_SESSION_TOKEN"), "eu-west-1"
    )
    return session.client(service, endpoint_url=url)  # type: ignore[call-overload]


def as_keys(answer: Json) -> Keys:
    found = answer["Credentials"]
    return {
        "AWS_ACCESS_KEY_ID": found["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": found["SecretAccessKey"],
        "AWS_SESSION_TOKEN": found["SessionToken"],
    }


def assume(url: str, role: str, keys: Keys | None = None) -> Keys:
    return as_keys(client(url, "sts", keys).assume_role(RoleArn=role, RoleSessionName="test"))


def administrator(url: str, account: str) -> Keys:
    return assume(url, f"arn:aws:iam::{account}:role/administrator")


def job(url: str, role: str, subject: str) -> Keys:
    """The credentials of a job whose token has a subject."""
    claims = {"iss": "https://token.actions.githubusercontent.com", "aud": "sts.amazonaws.com", "sub": subject}
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    answer = client(url, "sts").assume_role_with_web_identity(
        RoleArn=f"arn:aws:iam::444444444444:role/backbone/{role}",
        RoleSessionName="job",
        WebIdentityToken=f"e30.{payload}.e30",
    )
    return as_keys(answer)


def refused(call: Callable[[], object]) -> bool:
    try:
        call()
    except ClientError as error:
        return error.response["Error"]["Code"] in ("AccessDenied", "AccessDeniedException")
    return False


def bootstrap(url: str, facts: Facts, folder: Path, *, left_out: Iterable[str] = ()) -> None:
    """What the guide says: the pipeline's stack, its state into the bucket, then the accounts' stacks.

    The emulator is reached without TLS, which the bucket's policy would refuse, rightly: it is left out, as are further
    types of resources.
    """
    pipeline = administrator(url, facts.deployment.account)
    write(facts, folder, backend=False)
    leave_out(folder, "aws_s3_bucket_policy", *left_out)
    first = Terraform(folder / "stacks" / PIPELINE, url, pipeline)
    first.init()
    first.run("apply", "-auto-approve")
    write(facts, folder, backend=True)
    leave_out(folder, "aws_s3_bucket_policy", *left_out)
    first.init("-migrate-state", "-force-copy")
    assert not (first.folder / "terraform.tfstate").read_text().strip()
    into = {"access_key": "AWS_ACCESS_KEY_ID", "secret_key": "AWS_SECRET_ACCESS_KEY", "token": "AWS_SESSION_TOKEN"}
    backend = [f"-backend-config={name}={pipeline[variable]}" for name, variable in into.items()]
    for account in facts.providers:
        stack = Terraform(folder / "stacks" / account, url, administrator(url, facts.declared.accounts[account]))
        stack.init(*backend)
        stack.run("apply", "-auto-approve")
    assert first.second_plan() == []


def leave_out(folder: Path, *types: str) -> None:
    file = folder / "stacks" / PIPELINE / "cdk.tf.json"
    stack: Json = json.loads(file.read_text())
    for name in types:
        del stack["resource"][name]
    file.write_text(json.dumps(stack))


def refusals(log: Path) -> list[Json]:
    return [one for one in judged(log) if not one["allowed"]]


def judged(log: Path) -> list[Json]:
    return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


def test_the_example_is_deployed_with_the_bootstrapped_roles(tmp_path: Path) -> None:
    topology = parse(json.dumps(document("per-account", state=STATE, deployment=GITHUB)))
    folder, log = tmp_path / "cdktf.out", tmp_path / "judged.jsonl"
    stacks = synthesize(topology, folder)
    facts = Facts.read(folder)
    with moto_server(tmp_path / "moto.log", guard=log) as url:
        publish_layers(url, topology, resources(stacks))
        bootstrap(url, facts, tmp_path / "bootstrap")
        assert judged(log) == []

        keys = job(url, "shop-ci-eu-west-1", DEPLOYS)
        deploy(folder, url, **keys)
        each = [Terraform(folder / "stacks" / name, url, keys) for name in stacks]
        assert [one.second_plan() for one in each] == [[], [], []]
        states = {f"shop-state-{name}-eu-west-1" for name in stacks}
        assert {one["who"].rpartition("/")[2] for one in judged(log)} == {
            "",
            "shop-ci-eu-west-1",
            "backbone-deploy",
            *states,
        }
        assert refusals(log) == []

        plan_is_read_only(url, folder / "stacks" / "order", tmp_path / "plan")
        others_are_refused(url, facts)
        expected = refusals(log)
        assert len(expected) > 15

        output.synth(changed(topology), folder)
        started = start(folder, url, **keys)
        wait_for(folder / "deployment" / "order.log", "Modifying...")
        started.kill()
        started.communicate()
        _, errors = deploy(folder, url, **keys)
        assert "an earlier deployment stopped half-way" in errors
        assert [one.second_plan() for one in each] == [[], [], []]
        deploy(folder, url, "--destroy", "--allow-dangers", **keys)
        assert [one.resources() for one in each] == [[], [], []]
        assert refusals(log) == expected


def plan_is_read_only(url: str, stack: Path, folder: Path) -> None:
    """With the roles that plan, a plan shows no change, and an apply of one is refused."""
    shutil.copytree(stack, folder, ignore=shutil.ignore_patterns(".terraform*"))
    file = folder / "cdk.tf.json"
    state = "arn:aws:iam::444444444444:role/backbone/shop-state-order-eu-west-1-plan"
    keys = job(url, "shop-ci-plan-eu-west-1", PLANS)
    planner = Terraform(folder, url, keys | {"TF_VAR_role_suffix": "-plan"})
    planner.init(f'-backend-config=assume_role={{role_arn="{state}"}}')
    assert planner.second_plan("-lock=false") == []
    planner.run("plan", good=(1,))  # a lock is written
    file.write_text(file.read_text().replace('"retention_in_days": 7', '"retention_in_days": 14'))
    assert len(planner.second_plan("-lock=false")) > 3
    planner.run("apply", "-lock=false", "-auto-approve", good=(1,))


def others_are_refused(url: str, facts: Facts) -> None:
    """What a stolen job could try."""
    for role, subject in (
        ("shop-ci-eu-west-1", PLANS),
        ("shop-ci-eu-west-1", "repo:acme/backbone:ref:refs/heads/evil"),
        ("shop-ci-plan-eu-west-1", "repo:evil/backbone:pull_request"),
        ("shop-state-order-eu-west-1", DEPLOYS),
    ):
        assert refused(lambda role=role, subject=subject: job(url, role, subject))  # type: ignore[misc]
    planning, deploying = job(url, "shop-ci-plan-eu-west-1", PLANS), job(url, "shop-ci-eu-west-1", DEPLOYS)
    assert refused(lambda: assume(url, facts.deploy_role("order"), planning))
    assert refused(lambda: assume(url, "arn:aws:iam::222222222222:role/administrator", deploying))
    assert refused(lambda: client(url, "events", deploying).list_event_buses())
    keys = assume(url, facts.deploy_role("order"), deploying)
    iam, trust = client(url, "iam", keys), json.dumps({"Version": "2012-10-17", "Statement": []})
    unlimited = {"RoleName": "shop-x", "AssumeRolePolicyDocument": trust}
    for call in (
        lambda: client(url, "events", keys).create_event_bus(Name="other"),
        lambda: client(url, "sqs", keys).create_queue(QueueName="other"),
        lambda: client(url, "apigatewayv2", keys).create_api(Name="shop-x", ProtocolType="HTTP"),
        lambda: client(url, "s3", keys).get_object(Bucket="acme-states", Key="x"),
        lambda: iam.create_role(**unlimited),
        lambda: iam.create_role(**unlimited, PermissionsBoundary="arn:aws:iam::aws:policy/AdministratorAccess"),
        lambda: iam.create_user(UserName="shop-x"),
        lambda: iam.attach_role_policy(
            RoleName="shop-order-service-api-eu-west-1", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess"
        ),
        lambda: iam.put_role_policy(RoleName="backbone-deploy", PolicyName="x", PolicyDocument=trust),
        lambda: iam.delete_role_permissions_boundary(RoleName="shop-order-service-api-eu-west-1"),
        lambda: iam.create_policy_version(PolicyArn=facts.boundary("order"), PolicyDocument=trust, SetAsDefault=True),
    ):
        assert refused(call)


def test_the_provider_calls_nothing_that_is_not_in_the_table(tmp_path: Path) -> None:
    known = {name: {action for actions in phases.values() for action in actions} for name, phases in calls().items()}
    found = {
        name: {action for actions in phases.values() for action in actions} - known.get(name, set())
        for name, phases in record(tmp_path).items()
    }
    assert {name: actions for name, actions in found.items() if actions} == {}
