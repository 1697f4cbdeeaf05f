"""What a bootstrap lets a pipeline do, and what not, by the rules of IAM."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from backbone import manifest
from backbone.aws.policies import to_json
from backbone.deployment.bootstrap.check import allowed, check
from backbone.deployment.bootstrap.facts import BootstrapError, Facts
from backbone.deployment.bootstrap.grants import grants
from backbone.deployment.bootstrap.needs import BEYOND, TYPES, calls
from backbone.deployment.bootstrap.permissions import LONGEST, MOST, pack
from backbone.deployment.bootstrap.stacks import PIPELINE, stacks, write
from backbone.system import terraform
from backbone.system.iam import MANAGED, TRUST, Identity, authorize, check_policy, read_policy
from backbone.system.iam.catalogue import service, services
from backbone.system.iam.request import Request
from backbone.system.reader import read
from tests.deployment.bootstrapped import FILES, GITHUB, STATE, Bootstrapped, bootstrap, document, synthesize
from tests.synthesis import Json

Of = Callable[[str], Bootstrapped]
DENIED: list[Json] = yaml.safe_load((Path(__file__).parent / "denied.yaml").read_text())
NAMED = sorted({action for grant in grants() if grant.names for action in (*grant.reads, *grant.writes)})
KNOWN = {
    *(action for grant in grants() for action in (*grant.reads, *grant.writes)),
    *(action.partition(" ")[0] for phases in calls().values() for actions in phases.values() for action in actions),
    *(action for phases in BEYOND.values() for actions in phases.values() for action in actions),
}


READING = re.compile(r"\w+:(Describe|Get|GET|List|Validate)|kms:Decrypt")


@pytest.mark.parametrize("name", FILES)
def test_every_call_for_every_resource_is_allowed(name: str, bootstrapped: Of) -> None:
    one = bootstrapped(name)
    roles = {account: one.deploy(account) for account in one.facts.providers}
    denied = {
        (need.block.id, need.action, need.resource)
        for need in one.needs
        if not allowed(roles[need.block.account], need)
    }
    assert denied == set()
    assert {need.block.id for need in one.needs} == {block.id for block in one.facts.configuration}


@pytest.mark.parametrize("name", FILES)
def test_planning_reads_everything_and_writes_nothing(name: str, bootstrapped: Of) -> None:
    one = bootstrapped(name)
    roles = {account: one.plan(account) for account in one.facts.providers}
    denied, written = set(), set()
    for need in one.needs:
        if allowed(roles[need.block.account], need):
            written |= set() if READING.match(need.action) else {need.action}
        elif need.phase == "read":
            denied.add((need.block.id, need.action, need.resource))
    assert (denied, written) == (set(), set())


def test_the_examples_have_every_type_that_can_be_synthesized(bootstrapped: Of) -> None:
    made = {block.type for name in FILES for block in bootstrapped(name).facts.configuration}
    assert made == set(TYPES) == set(calls())


def test_not_one_more_service(bootstrapped: Of) -> None:
    one = bootstrapped("everything")
    needed = {need.action.partition(":")[0] for need in one.needs}
    granted = {
        action.partition(":")[0]
        for account in one.facts.providers
        for policy in one.roles[one.facts.deploy_role(account)].policies
        for statement in policy.statements
        if statement.allows
        for action in statement.actions
    }
    assert granted == needed


def words(one: Bootstrapped, account: str, value: Any) -> Any:
    known = {
        "BOUNDARY": one.facts.boundary(account),
        "DEPLOY": one.facts.deploy_role(account),
        "PLAN": one.facts.plan_role(account),
    }
    return known.get(value, value)


@pytest.mark.parametrize("case", DENIED, ids=lambda case: case["why"])
@pytest.mark.parametrize("which", ["deploy", "plan"])
def test_nothing_else_is_allowed(case: Json, which: str, bootstrapped: Of) -> None:
    one = bootstrapped("single")
    role = one.deploy("order") if which == "deploy" else one.plan("order")
    context = {key: words(one, "order", value) for key, value in case.get("context", {}).items()}
    context = {"aws:RequestedRegion": "eu-west-1"} | context
    decision = authorize(
        role, case["action"], words(one, "order", case["resource"]), owner="222222222222", context=context
    )
    assert not decision, decision.why


def test_a_deploy_role_with_the_backbone_s_prefix_does_not_change_itself(tmp_path: Path) -> None:
    given = document("single")
    for account in given["accounts"].values():
        account["deploy_role"] = "shop-deploy"
    one = bootstrap(tmp_path / "out", given)
    role, boundary = one.facts.deploy_role("order"), one.facts.boundary("order")
    context = {"iam:PermissionsBoundary": boundary, "iam:PassedToService": "lambda.amazonaws.com"}
    for arn in (role, f"{role}-plan"):
        for action in ("PutRolePolicy", "UpdateAssumeRolePolicy", "DeleteRole", "PassRole", "TagRole"):
            assert not authorize(one.deploy("order"), f"iam:{action}", arn, owner="222222222222", context=context)
    assert authorize(one.deploy("order"), "iam:DeleteRole", f"{role}-x", owner="222222222222", context=context)


@given(action=st.sampled_from(NAMED), name=st.from_regex(r"[A-Za-z0-9_-]{1,40}", fullmatch=True))
def test_no_other_name_is_reached(action: str, name: str, bootstrapped: Of) -> None:
    one = bootstrapped("single")
    if name.startswith("shop-"):
        return
    for grant in grants():
        for pattern in grant.names:
            arn = one.facts.place("order").arn(grant.service, f"{grant.kind}{pattern.replace('{}', name)}")
            assert not authorize(one.deploy("order"), action, arn, owner="222222222222", context={})


@given(data=st.data())
def test_no_other_action_is_allowed(data: st.DataObject, bootstrapped: Of) -> None:
    one = bootstrapped("everything")
    prefix = data.draw(st.sampled_from([name for name in services() if service(name)]))
    found = service(prefix)
    assert found is not None
    action = f"{prefix}:{data.draw(st.sampled_from(found.names))}"
    allowing = {"iam:UpdateRole", "iam:UpdateRoleDescription", "iam:TagRole", "iam:UntagRole", "iam:DeleteRole"}
    if action in KNOWN | allowing | {"kms:CreateGrant"}:
        return
    arns = {need.resource for need in one.needs} | {"*"}
    context = {need.action: dict(need.context) for need in one.needs}
    resource = data.draw(st.sampled_from(sorted(arns)))
    role = one.deploy("worker")
    assert not authorize(role, action, resource, owner="222222222222", context=context["iam:CreateRole"])


@pytest.mark.parametrize("name", FILES)
def test_policies_are_ones_that_aws_takes(name: str, bootstrapped: Of) -> None:
    one = bootstrapped(name)
    configuration = terraform.load(one.bootstrap)
    documents = [configuration.value(block, "policy") for block in configuration.of("aws_iam_policy")]
    assert documents
    for text in documents:
        policy = read_policy("policy", text, MANAGED)
        assert [*policy.problems, *check_policy(policy)] == []
        assert len(text) <= LONGEST
        for statement in json.loads(text)["Statement"]:
            assert "*" not in str(statement.get("Action"))
            limited = statement["Resource"] not in ("*", ["*"]) or "Condition" in statement
            assert limited or statement["Sid"] == "WithoutResource"
    for role in one.roles.values():
        assert len(role.policies) <= MOST
        assert role.trust.problems == ()
    assert [str(found) for found in read(one.bootstrap).findings if found.severity != "note"] == []


def test_a_policy_that_is_too_long_is_divided_or_refused() -> None:
    statements: list[Json] = [
        {"Action": "sqs:CreateQueue", "Effect": "Allow", "Resource": ["x" * 3000], "Sid": f"S{number}"}
        for number in range(4)
    ]
    packed = pack("data", statements)
    assert list(packed) == ["data", "data-2", "data-3", "data-4"][: len(packed)]
    assert all(len(text) <= LONGEST for text in packed.values())
    assert sum(len(json.loads(text)["Statement"]) for text in packed.values()) == 4
    with pytest.raises(BootstrapError, match="the statement Big names 9 resources, more than fit"):
        pack("data", [{"Action": "x", "Effect": "Allow", "Resource": ["x" * 900] * 9, "Sid": "Big"}])


def test_many_accounts(tmp_path: Path) -> None:
    names = [f"team-{number:03}" for number in range(80)]
    accounts = {name: {"id": f"9{number:011}", "deploy_role": "backbone-deploy"} for number, name in enumerate(names)}
    given = {
        "name": "shop",
        "region": "eu-west-1",
        "layout": "per-account",
        "organization_id": "o-a1b2c3d4e5",
        "accounts": accounts,
        "bus": {"account": names[0]},
        "services": {name: {"account": name, "publishes": [name], "subscribes": [names[0]]} for name in names[1:]},
        "state": STATE,
        "deployment": {"by": "github", "repository": "acme/backbone"},
    }
    one = bootstrap(tmp_path / "out", given)
    ci = one.roles[f"arn:aws:iam::{accounts[names[0]]['id']}:role/backbone/shop-ci-eu-west-1"]
    assert 1 < len(ci.policies) <= MOST
    for account in names:
        deploy = one.facts.deploy_role(account)
        owner = deploy.split(":")[4]
        assert authorize(
            ci.identity, "sts:AssumeRole", deploy, owner=owner, policies=[one.roles[deploy].trust], context={}
        )
        assert max(policy.size for policy in one.roles[deploy].policies) <= LONGEST
    assert check(one.folder, one.bootstrap) == []


def trust_of(one: Bootstrapped, role: str) -> Json:
    body = stacks(one.facts)[PIPELINE]["resource"]["aws_iam_role"][role]
    found: Json = json.loads(body["assume_role_policy"])
    return found


def lets(trust: Json, subject: str, audience: str, host: str) -> bool:
    policy = read_policy("trust", trust, TRUST)
    assert policy.problems == ()
    (statement,) = policy.statements
    context = {f"{host}:sub": subject, f"{host}:aud": audience}
    return statement.applies(Request("sts:AssumeRoleWithWebIdentity", "", context)) is True


GITHUB_HOST, GITHUB_AUDIENCE = "token.actions.githubusercontent.com", "sts.amazonaws.com"
SUBJECTS = {
    "repo:acme/backbone:ref:refs/heads/main": ("ci", "ci-plan"),
    "repo:acme/backbone:pull_request": ("ci-plan",),
    "repo:acme/backbone:ref:refs/heads/evil": (),
    "repo:acme/backbone:ref:refs/tags/main": (),
    "repo:acme/backbone:environment:production": (),
    "repo:acme/backbone-x:ref:refs/heads/main": (),
    "repo:evil/backbone:ref:refs/heads/main": (),
    "repo:evil/acme:pull_request": (),
    "": (),
}


@pytest.mark.parametrize(("subject", "roles"), SUBJECTS.items())
def test_only_jobs_of_the_branch_deploy(subject: str, roles: tuple[str, ...], bootstrapped: Of) -> None:
    one = bootstrapped("single")
    for role in ("ci", "ci-plan"):
        trust = trust_of(one, role)
        assert lets(trust, subject, GITHUB_AUDIENCE, GITHUB_HOST) is (role in roles)
        assert not lets(trust, subject, "https://github.com/acme", GITHUB_HOST)
        assert not lets(trust, subject, GITHUB_AUDIENCE, "gitlab.com")


def test_an_environment_stands_for_its_branch(tmp_path: Path) -> None:
    one = bootstrap(tmp_path / "out", document("single", deployment=GITHUB | {"environment": "production"}))
    trust = trust_of(one, "ci")
    assert lets(trust, "repo:acme/backbone:environment:production", GITHUB_AUDIENCE, GITHUB_HOST)
    assert not lets(trust, "repo:acme/backbone:ref:refs/heads/main", GITHUB_AUDIENCE, GITHUB_HOST)
    assert lets(trust_of(one, "ci-plan"), "repo:acme/backbone:ref:refs/heads/main", GITHUB_AUDIENCE, GITHUB_HOST)


def test_gitlab(tmp_path: Path) -> None:
    deployment = {"by": "gitlab", "project": "acme/team/backbone", "host": "git.example.com"}
    one = bootstrap(tmp_path / "out", document("single", deployment=deployment))
    deploy, plan = trust_of(one, "ci"), trust_of(one, "ci-plan")
    project, host = "project_path:acme/team/backbone:ref_type", "git.example.com"
    for subject, who in {
        f"{project}:branch:ref:main": (deploy, plan),
        f"{project}:branch:ref:feature": (plan,),
        f"{project}:tag:ref:main": (),
        "project_path:evil/backbone:ref_type:branch:ref:main": (),
    }.items():
        for trust in (deploy, plan):
            assert lets(trust, subject, f"https://{host}", host) is (trust in who)
            assert not lets(trust, subject, "https://gitlab.com", host)


def test_a_role_of_another_account(tmp_path: Path) -> None:
    role, plan_role = (f"arn:aws:iam::555555555555:role/{name}" for name in ("pipeline", "pipeline-plan"))
    one = bootstrap(
        tmp_path / "out", document("single", deployment={"by": "role", "role": role, "plan_role": plan_role})
    )
    found = stacks(one.facts)[PIPELINE]
    assert found["provider"]["aws"][0]["allowed_account_ids"] == ["555555555555"]
    assert "aws_iam_openid_connect_provider" not in found["resource"]
    assert set(found["resource"]["aws_iam_role"]) == {"state-backbone", "state-backbone-plan"}
    assert assumes(one, role, one.facts.deploy_role("order"))
    assert not assumes(one, plan_role, one.facts.deploy_role("order"))
    assert assumes(one, plan_role, one.facts.plan_role("order"))


def assumes(one: Bootstrapped, who: str, role: str) -> bool:
    account = who.split(":")[4]
    identity = one.roles[who].identity if who in one.roles else Identity(who, account)
    owner = one.roles[role].account_id
    return bool(authorize(identity, "sts:AssumeRole", role, owner=owner, policies=[one.roles[role].trust], context={}))


def test_every_role_is_assumed_by_the_pipeline_s_and_by_nobody_else(bootstrapped: Of) -> None:
    one = bootstrapped("per-account")
    ci, plan = (f"arn:aws:iam::444444444444:role/backbone/shop-{name}-eu-west-1" for name in ("ci", "ci-plan"))
    deploys = {one.facts.deploy_role(account) for account in one.facts.providers}
    plans = {one.facts.plan_role(account) for account in one.facts.providers}
    assert one.facts.state is not None
    states = set(one.facts.state.roles.values())
    assert len(states) == len(one.facts.providers) > 2
    for role in one.roles.keys() - {ci, plan}:
        assert assumes(one, ci, role) is (role in deploys | states)
        assert assumes(one, plan, role) is (role in plans | {f"{state}-plan" for state in states})
        for other in (
            *one.roles,
            "arn:aws:iam::444444444444:role/admin",
            "arn:aws:iam::666666666666:role/shop-ci-eu-west-1",
        ):
            if other not in (ci, plan):
                assert not assumes(one, other, role)


def test_a_role_of_a_state_reaches_its_own_only(bootstrapped: Of) -> None:
    one = bootstrapped("per-account")
    assert one.facts.state is not None
    bucket, keys = "arn:aws:s3:::acme-states", one.facts.state.keys
    for stack, arn in one.facts.state.roles.items():
        writer, reader = one.roles[arn].identity, one.roles[f"{arn}-plan"].identity
        for other, key in keys.items():
            own = other == stack
            for action, suffix, who in (
                ("GetObject", "", (writer, reader)),
                ("PutObject", "", (writer,)),
                ("PutObject", ".tflock", (writer,)),
                ("DeleteObject", ".tflock", (writer,)),
                ("DeleteObject", "", ()),
                ("DeleteObjectVersion", "", ()),
            ):
                for role in (writer, reader):
                    decision = authorize(
                        role, f"s3:{action}", f"{bucket}/{key}{suffix}", owner="444444444444", context={}
                    )
                    assert bool(decision) is (own and role in who)
            for role in (writer, reader):
                listing = {"s3:prefix": key}
                assert bool(authorize(role, "s3:ListBucket", bucket, owner="444444444444", context=listing)) is own
                assert not authorize(role, "s3:ListBucket", bucket, owner="444444444444", context={"s3:prefix": ""})


def test_the_bucket_is_closed(bootstrapped: Of) -> None:
    found = stacks(bootstrapped("all-features").facts)[PIPELINE]["resource"]
    assert found["aws_s3_bucket_versioning"]["states"]["versioning_configuration"] == {"status": "Enabled"}
    access = found["aws_s3_bucket_public_access_block"]["states"]
    assert [access[key] for key in access if key.startswith(("block", "ignore", "restrict"))] == [True] * 4
    policy = read_policy("bucket", found["aws_s3_bucket_policy"]["states"]["policy"], MANAGED)
    (rule,) = found["aws_s3_bucket_server_side_encryption_configuration"]["states"]["rule"]
    assert rule["apply_server_side_encryption_by_default"] == {"sse_algorithm": "AES256"}
    (tls,) = json.loads(found["aws_s3_bucket_policy"]["states"]["policy"])["Statement"]
    assert (tls["Effect"], tls["Principal"], tls["Condition"]) == (
        "Deny",
        "*",
        {"Bool": {"aws:SecureTransport": "false"}},
    )
    assert policy.size < 1000


@pytest.mark.parametrize("name", FILES)
def test_what_was_bootstrapped_lets_the_stacks_be_deployed(name: str, bootstrapped: Of) -> None:
    one = bootstrapped(name)
    assert check(one.folder, one.bootstrap) == []
    bounded = [found for found in read(one.folder).findings if found.severity == "error"]
    assert bounded == []


def test_bootstrap_must_run_first(tmp_path: Path) -> None:
    folder = synthesize(tmp_path / "cdktf.out", document("single"))
    (found,) = check(folder, manifest.bootstrap_folder(folder))
    assert (found.rule, str(found)) == ("BB520", "deployment: there is nothing in bootstrap")
    write(Facts.read(folder), manifest.bootstrap_folder(folder), backend=False)
    assert check(folder, manifest.bootstrap_folder(folder)) == []


CHANGES: dict[str, Callable[[Json], object]] = {
    "shop.audit": lambda file: file["services"].update(audit={"account": "order", "bus_name": "shop.audit"}),
    "444444444444:role/deployer": lambda file: file["accounts"]["order"].update(deploy_role="deployer"),
    "role/backbone-deploy is not in": lambda file: (
        file["accounts"].update(new={"id": "555555555555", "deploy_role": "backbone-deploy"}),
        file["services"].update(audit={"account": "new"}),
    ),
}


@pytest.mark.parametrize("expected", CHANGES)
def test_bootstrap_must_run_again(expected: str, tmp_path: Path) -> None:
    folder, given = tmp_path / "cdktf.out", document("single")
    bootstrap(folder, given)
    CHANGES[expected](given)
    synthesize(folder, given)
    found = check(folder, manifest.bootstrap_folder(folder))
    assert found
    assert {one.rule for one in found} == {"BB520"}
    assert any(expected.replace("444444444444:", "222222222222:") in str(one) for one in found)
    bootstrap(folder, given)
    assert check(folder, manifest.bootstrap_folder(folder)) == []


def edit(folder: Path, change: Callable[[Json], object]) -> None:
    file = folder / "stacks" / "backbone" / "cdk.tf.json"
    stack: Json = json.loads(file.read_text())
    change(stack["resource"])
    file.write_text(json.dumps(stack))


def grant(action: str) -> Callable[[Json], object]:
    def change(resources: Json) -> None:
        policy = next(iter(resources["aws_iam_role_policy"].values()))
        found = json.loads(policy["policy"])
        found["Statement"].append({"Action": action, "Effect": "Allow", "Resource": "arn:aws:s3:::photos/*"})
        policy["policy"] = to_json(found)

    return change


def test_what_a_module_grants_beyond_is_added_to_the_boundary(tmp_path: Path) -> None:
    one = bootstrap(tmp_path / "cdktf.out", document("single"))
    edit(one.folder, grant("s3:GetObject"))
    (found,) = check(one.folder, one.bootstrap)
    assert "the boundary does not allow s3:GetObject" in str(found)
    write(Facts.read(one.folder), one.bootstrap, backend=False)
    assert check(one.folder, one.bootstrap) == []


@pytest.mark.parametrize("action", ["iam:CreateUser", "sts:AssumeRole", "*", "organizations:*"])
def test_what_no_boundary_allows(action: str, tmp_path: Path) -> None:
    one = bootstrap(tmp_path / "cdktf.out", document("single"))
    edit(one.folder, grant(action))
    write(Facts.read(one.folder), one.bootstrap, backend=False)
    (found,) = check(one.folder, one.bootstrap)
    assert f"the boundary does not allow {action}" in str(found)


def test_types_that_the_backbone_does_not_synthesize(tmp_path: Path) -> None:
    one = bootstrap(tmp_path / "cdktf.out", document("single"))
    edit(one.folder, lambda made: made.update(aws_ecs_cluster={"jobs": {"provider": "aws.order", "name": "jobs"}}))
    (found,) = check(one.folder, one.bootstrap)
    assert str(found) == (
        "backbone/aws_ecs_cluster.jobs: backbone-deploy may not make a resource of the type aws_ecs_cluster"
    )


def test_a_role_without_the_boundary_cannot_be_deployed(tmp_path: Path) -> None:
    one = bootstrap(tmp_path / "cdktf.out", document("single"))
    edit(one.folder, lambda made: next(iter(made["aws_iam_role"].values())).pop("permissions_boundary"))
    found = check(one.folder, one.bootstrap)
    assert any("may not iam:CreateRole" in str(each) for each in found)


def test_the_boundary_stops_what_is_granted_beyond_it(tmp_path: Path) -> None:
    one = bootstrap(tmp_path / "cdktf.out", document("single"))
    file = one.bootstrap / "stacks" / "order" / "cdk.tf.json"
    written: Json = json.loads(file.read_text())
    boundary = written["resource"]["aws_iam_policy"]["boundary"]
    boundary["policy"] = boundary["policy"].replace("sqs:SendMessage", "sqs:ListQueues")
    file.write_text(json.dumps(written))
    found = [str(each) for each in read(one.folder).findings if each.severity == "error"]
    assert any("may not sqs:SendMessage" in each for each in found)
    assert any("the boundary does not allow sqs:SendMessage" in str(each) for each in check(one.folder, one.bootstrap))
