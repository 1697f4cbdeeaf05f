"""The pipeline that bootstrap makes: who may do what in it, and what its builds run."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from backbone.deployment.bootstrap.facts import Facts
from backbone.deployment.bootstrap.stacks import PIPELINE, stacks
from backbone.synthesis import output
from backbone.system import terraform
from backbone.system.iam import INLINE, Identity, authorize, check_policy, read_policy
from backbone.system.iam.catalogue import service, services
from backbone.system.reader import read
from backbone.topology import load
from tests.deployment.bootstrapped import CODEPIPELINE, Bootstrapped, bootstrap, document
from tests.synthesis import Json

TABLE: list[Json] = yaml.safe_load((Path(__file__).parent / "codepipeline.yaml").read_text())
ROLES = {
    "apply": "arn:aws:iam::444444444444:role/backbone/shop-ci-eu-west-1",
    "plan": "arn:aws:iam::444444444444:role/backbone/shop-ci-plan-eu-west-1",
    "pipeline": "arn:aws:iam::444444444444:role/backbone/shop-pipeline-eu-west-1",
}
PROJECTS, OF_PIPELINE = (
    "arn:aws:codebuild:eu-west-1:444444444444:project",
    "arn:aws:codepipeline:eu-west-1:444444444444",
)


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Bootstrapped:
    """An example with an account for deployment, bootstrapped."""
    return bootstrap(
        tmp_path_factory.mktemp("pipeline") / "cdktf.out", document("per-account", deployment=CODEPIPELINE)
    )


@pytest.fixture(scope="module")
def made(one: Bootstrapped) -> Json:
    """The resources of the pipeline's stack."""
    resources: Json = stacks(one.facts)[PIPELINE]["resource"]
    return resources


@pytest.mark.parametrize("case", TABLE, ids=lambda case: f"{case['why']}: {case['action']}")
@pytest.mark.parametrize("who", ROLES)
def test_what_the_roles_may_do(who: str, case: Json, one: Bootstrapped) -> None:
    owner = case.get("owner") or case["resource"].split(":")[4] or "444444444444"
    role = one.roles.get(case["resource"])
    trust = [role.trust] if role and case["action"] == "sts:AssumeRole" else []
    decision = authorize(
        one.roles[ROLES[who]].identity, case["action"], case["resource"], owner=owner, policies=trust, context={}
    )
    assert bool(decision) is (who in case["may"]), decision.why


def test_the_table_names_roles_that_there_are(one: Bootstrapped) -> None:
    assumed = {case["resource"] for case in TABLE if case["action"] == "sts:AssumeRole" and case["may"]}
    assert len(assumed) == 4
    assert assumed <= one.roles.keys()


def test_every_role_is_assumed_by_the_builds_and_by_nobody_else(one: Bootstrapped) -> None:
    state = one.facts.state
    assert state is not None
    deploys = {*map(one.facts.deploy_role, one.facts.providers), *state.roles.values()}
    plans = {*map(one.facts.plan_role, one.facts.providers), *(f"{role}-plan" for role in state.roles.values())}
    assert deploys | plans == one.roles.keys() - {*ROLES.values()}
    for role in one.roles.values():
        for who, other in one.roles.items():
            allowed = authorize(
                other.identity, "sts:AssumeRole", role.arn, owner=role.account_id, policies=[role.trust], context={}
            )
            assert bool(allowed) is (role.arn in {ROLES["apply"]: deploys, ROLES["plan"]: plans}.get(who, set()))


@given(data=st.data())
def test_no_other_action_is_allowed(data: st.DataObject, one: Bootstrapped) -> None:
    prefix = data.draw(st.sampled_from([name for name in services() if service(name)]))
    found = service(prefix)
    assert found is not None
    action = f"{prefix}:{data.draw(st.sampled_from(found.names))}"
    arns = sorted({case["resource"] for case in TABLE} | one.roles.keys() | {"*"})
    resource, who = data.draw(st.sampled_from(arns)), data.draw(st.sampled_from(sorted(ROLES)))
    known = {case["action"] for case in TABLE if who in case["may"]}
    known |= {"codebuild:BatchGetBuilds", "logs:CreateLogStream", "s3:GetObjectVersion"}
    known |= {"s3:GetBucketAcl", "s3:GetBucketLocation", "s3:GetBucketVersioning"}
    if action not in known:
        identity = one.roles[ROLES[who]].identity
        assert not authorize(identity, action, resource, owner="444444444444", context={}, ahead=True)


TRUSTED = [
    ("plan", "codebuild", f"{PROJECTS}/backbone-shop-plan"),
    ("apply", "codebuild", f"{PROJECTS}/backbone-shop-apply"),
    ("pipeline", "codepipeline", f"{OF_PIPELINE}:backbone-shop"),
]
SOURCES = [
    *((name, source) for _, name, source in TRUSTED),
    ("codebuild", f"{PROJECTS}/other"),
    ("codebuild", f"{PROJECTS}/backbone-shop-plan-x"),
    ("codebuild", f"{OF_PIPELINE}:backbone-shop"),
    ("codepipeline", f"{OF_PIPELINE}:other"),
    ("lambda", f"{PROJECTS}/backbone-shop-apply"),
]


@pytest.mark.parametrize(("who", "trusted", "source"), TRUSTED)
def test_a_role_is_that_of_one_build_or_pipeline(who: str, trusted: str, source: str, one: Bootstrapped) -> None:
    role = one.roles[ROLES[who]]

    def lets(name: str, arn: str, account: str | None) -> bool:
        context = {"aws:SourceArn": arn, "aws:SourceAccount": account}
        identity = Identity(f"{name}.amazonaws.com")
        decision = authorize(
            identity, "sts:AssumeRole", role.arn, owner=role.account_id, policies=[role.trust], context=context
        )
        return bool(decision)

    assert [each for each in SOURCES if lets(*each, "444444444444")] == [(trusted, source)]
    assert not lets(trusted, source.replace("444444444444", "666666666666"), "666666666666")
    assert not lets(trusted, source, "666666666666")
    assert not lets(trusted, source, None)


def test_a_deploy_role_beside_the_pipeline_does_not_reach_it(tmp_path: Path) -> None:
    beside = bootstrap(
        tmp_path / "cdktf.out", document("single", deployment=CODEPIPELINE | {"account": "111111111111"})
    )
    deploy = beside.deploy("bus")
    bucket = "arn:aws:s3:::backbone-shop-111111111111-eu-west-1"
    context = {"iam:PermissionsBoundary": beside.facts.boundary("bus"), "aws:RequestedRegion": "eu-west-1"}
    requests = [
        *(
            (f"iam:{action}", role.replace("444444444444", "111111111111"))
            for role in ROLES.values()
            for action in ("PutRolePolicy", "UpdateAssumeRolePolicy", "DeleteRole", "PassRole", "TagRole")
        ),
        ("codebuild:UpdateProject", f"{PROJECTS}/backbone-shop-apply".replace("444444444444", "111111111111")),
        ("codebuild:StartBuild", f"{PROJECTS}/backbone-shop-apply".replace("444444444444", "111111111111")),
        (
            "codepipeline:PutApprovalResult",
            f"{OF_PIPELINE}:backbone-shop/Approval/Approval".replace("4" * 12, "1" * 12),
        ),
        ("logs:DeleteLogGroup", "arn:aws:logs:eu-west-1:111111111111:log-group:/aws/codebuild/backbone-shop-apply"),
        ("s3:PutObject", f"{bucket}/x"),
        ("s3:PutBucketPolicy", bucket),
    ]
    assert {role.replace("444444444444", "111111111111") for role in ROLES.values()} <= beside.roles.keys()
    for action, resource in requests:
        decision = authorize(deploy, action, resource, owner="111111111111", context=context)
        assert not decision, (action, resource)


def test_policies_are_ones_that_aws_takes(one: Bootstrapped) -> None:
    configuration = terraform.load(one.bootstrap)
    for block in configuration.of("aws_iam_policy", "aws_iam_role_policy"):
        policy = read_policy(block.id, configuration.value(block, "policy"), INLINE)
        problems = [*policy.problems, *check_policy(policy)]
        assert [problem for problem in problems if problem.severity != "note"] == []
    assert [str(found) for found in read(one.bootstrap).findings if found.severity != "note"] == []


def test_the_account_is_that_of_the_connection_unless_another_is_named(tmp_path: Path) -> None:
    accounts = {}
    for account in (None, "555555555555"):
        deployment = CODEPIPELINE | ({"account": account} if account else {})
        found = stacks(bootstrap(tmp_path / str(account), document("single", deployment=deployment)).facts)[PIPELINE]
        accounts[account] = found["provider"]["aws"][0]["allowed_account_ids"]
    assert accounts == {None: ["444444444444"], "555555555555": ["555555555555"]}


def test_nothing_is_applied_before_it_is_planned_and_approved(made: Json) -> None:
    pipeline = made["aws_codepipeline"]["pipeline"]
    actions = [action for stage in pipeline["stage"] for action in stage["action"]]
    assert [(action["name"], action["provider"]) for action in actions] == [
        ("Source", "CodeStarSourceConnection"),
        ("Plan", "CodeBuild"),
        ("Approval", "Manual"),
        ("Apply", "CodeBuild"),
    ]
    assert len(pipeline["stage"]) == 4
    assert pipeline["pipeline_type"] == "V2"
    source = actions[0]["configuration"]
    assert source["ConnectionArn"] == CODEPIPELINE["connection_arn"]
    assert (source["FullRepositoryId"], source["BranchName"]) == ("acme/backbone", "main")
    produced: set[str] = set()
    for action in actions:
        assert {*action.get("input_artifacts", ())} <= produced
        produced |= {*action.get("output_artifacts", ())}


def test_where_nothing_changes_nobody_is_asked_and_nothing_is_applied(made: Json) -> None:
    stages = {stage["name"]: stage for stage in made["aws_codepipeline"]["pipeline"]["stage"]}
    assert [name for name, stage in stages.items() if "before_entry" in stage] == ["Approval", "Apply"]
    assert stages["Approval"]["before_entry"] == stages["Apply"]["before_entry"]
    (condition,) = stages["Apply"]["before_entry"][0]["condition"]
    (rule,) = condition["rule"]
    assert (condition["result"], rule["rule_type_id"][0]["provider"]) == ("SKIP", "VariableCheck")
    assert rule["configuration"] == {"Variable": "#{plan.REVIEW_CHANGES}", "Value": "yes", "Operator": "EQ"}


def buildspec(made: Json, word: str) -> Any:
    return yaml.safe_load(made["aws_codebuild_project"][word]["source"]["buildspec"])


def test_the_approval_shows_what_the_plan_exports(made: Json) -> None:
    stages = {stage["name"]: stage["action"][0] for stage in made["aws_codepipeline"]["pipeline"]["stage"]}
    known = {f"plan.{name}" for name in buildspec(made, "plan")["env"]["exported-variables"]} | {"source.CommitId"}
    approval = stages["Approval"]["configuration"]
    shown = {name for text in approval.values() for name in re.findall(r"#\{([^}]*)\}", text)}
    assert shown == known - {"plan.REVIEW_CHANGES"}
    assert {stages[name]["namespace"] for name in ("Source", "Plan")} == {name.partition(".")[0] for name in known}
    commands = "\n".join(buildspec(made, "plan")["phases"]["build"]["commands"])
    assert {name for name in known if f"export {name.removeprefix('plan.')}=" in commands} == known - {
        "source.CommitId"
    }


def test_builds_write_to_logs_that_are_kept(made: Json) -> None:
    for word in ("plan", "apply"):
        project, group = made["aws_codebuild_project"][word], made["aws_cloudwatch_log_group"][word]
        assert project["logs_config"]["cloudwatch_logs"]["group_name"] == f"${{aws_cloudwatch_log_group.{word}.name}}"
        assert group["name"] == f"/aws/codebuild/backbone-shop-{word}"
        assert group["retention_in_days"] == 365
        assert project["service_role"] == f"${{aws_iam_role.{'ci-plan' if word == 'plan' else 'ci'}.arn}}"


def test_the_bucket_of_artifacts_is_closed_like_that_of_the_states(made: Json) -> None:
    kinds = [kind for kind, named in made.items() if kind.startswith("aws_s3_bucket") and "states" in named]
    assert len(kinds) == 5
    for kind in kinds:
        states = json.dumps(made[kind]["states"]).replace("acme-states", "NAME").replace("states", "artifacts")
        artifacts = json.dumps(made[kind]["artifacts"]).replace("backbone-shop-444444444444-eu-west-1", "NAME")
        assert artifacts == states


def test_an_environment_has_builds_of_its_own(tmp_path: Path) -> None:
    given = document("single", deployment=CODEPIPELINE | {"install": "pip install -e tools"})
    given["environments"] = {"prod": {}}
    file = tmp_path / "backbone.yaml"
    file.write_text(yaml.safe_dump(given))
    output.synth(load(file, environment="prod"), tmp_path / "cdktf.prod.out")
    resources = stacks(Facts.read(tmp_path / "cdktf.prod.out"))[PIPELINE]["resource"]
    plan, apply = ("\n".join(buildspec(resources, word)["phases"]["build"]["commands"]) for word in ("plan", "apply"))
    assert "backbone deploy --env prod --no-changes" in plan
    assert "--stacks cdktf.prod.out" in apply
    for word in ("plan", "apply"):
        assert buildspec(resources, word)["phases"]["install"]["commands"][-1] == "pip install -e tools"
