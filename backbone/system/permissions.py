"""Who may do what, as blocks of Terraform say it: roles with all their policies, and permissions of functions."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from backbone.aws.arn import Arn, ArnError
from backbone.system.blocks import Blocks
from backbone.system.findings import finding
from backbone.system.iam import FUNCTION, INLINE, MANAGED, TRUST, Policy, inline_problems, managed_policy
from backbone.system.model import Role
from backbone.system.values import Values

__all__ = ["read_function_policy", "read_role"]


def read_role(blocks: Blocks, values: Values) -> Role:
    """A role with its trust policy, its inline and managed policies and its permissions boundary."""
    block, name = values.block, values.text("name")
    attached_to = block.place.iam(f"role/{name}")
    inline = [
        *blocks.policies("aws_iam_role_policy", attached_to, INLINE),
        *(blocks.policy(part, INLINE) for part in values.parts("inline_policy") if part.value("policy") is not None),
    ]
    for problem in inline_problems(inline):
        blocks.find("BB501", block, problem.message)
    arns = [
        *values.texts("managed_policy_arns"),
        *blocks.read_attached("aws_iam_role_policy_attachment", attached_to, lambda part: part.text("policy_arn")),
    ]
    boundary = values.optional_text("permissions_boundary")
    return Role(
        address=block.id,
        name=name,
        arn=values.text("arn"),
        account=block.account,
        place=block.place,
        trust=blocks.policy(values, TRUST, "assume_role_policy"),
        policies=(*inline, *(_managed(blocks, values, arn) for arn in arns)),
        boundary=None if boundary is None else _boundary(blocks, values, boundary),
    )


def _boundary(blocks: Blocks, values: Values, arn: str) -> Policy | None:
    """A permissions boundary. That of a bootstrap which is not there to be read counts as no limit."""
    if arn in blocks.boundaries:
        return blocks.boundaries[arn]
    return _managed(blocks, values, arn)


def _managed(blocks: Blocks, values: Values, arn: str) -> Policy:
    """A managed policy by its ARN. What is not known allows nothing, and is a finding."""
    block = values.block
    try:
        account = Arn.parse(arn).account_id
    except ArnError as error:
        raise values.wrong("policy_arn", arn, "the ARN of a policy") from error
    found = managed_policy(arn) if account == "aws" else blocks.customer_policies.get(arn)
    if found is None and account == "aws":
        words = (
            f"{arn} is not known here, so nothing counts as allowed by it; if it exists, test with a policy of yours"
        )
        blocks.findings.append(finding("BB502", block.id, words))
    elif account not in ("aws", block.place.account_id):
        words = f"{arn} is a policy of the account {account}; allowed: one of {block.place.account_id}, or of AWS"
        blocks.find("BB108", block, words)
        found = None
    elif found is None:
        blocks.find("BB105", block, f"refers to the policy {arn}, which no stack makes")
    return found or Policy(arn, MANAGED, (), (), 0, refused=True)


def read_function_policy(blocks: Blocks, function_arn: str) -> tuple[Policy, ...]:
    """The permissions of a function. A statement id that stands twice is a finding."""
    by_id: dict[str | None, list[str]] = defaultdict(list)

    def read(values: Values) -> Policy:
        statement_id = values.optional_text("statement_id")
        if statement_id is not None and (others := by_id[statement_id]):
            blocks.find("BB102", values.block, f"the statement_id {statement_id!r} is that of {others[0]} too")
        by_id[statement_id].append(values.block.id)
        return _permission(blocks, values, function_arn)

    return blocks.read_attached("aws_lambda_permission", function_arn, read)


CONDITIONS = {
    "event_source_token": ("StringEquals", "lambda:EventSourceToken"),
    "function_url_auth_type": ("StringEquals", "lambda:FunctionUrlAuthType"),
    "invoked_via_function_url": ("Bool", "lambda:InvokedViaFunctionUrl"),
    "principal_org_id": ("StringEquals", "aws:PrincipalOrgID"),
    "source_account": ("StringEquals", "aws:SourceAccount"),
    "source_arn": ("ArnLike", "aws:SourceArn"),
}
"""The conditions that Lambda makes of the arguments of AddPermission (API reference)."""


def _permission(blocks: Blocks, values: Values, function_arn: str) -> Policy:
    conditions: dict[str, dict[str, str]] = defaultdict(dict)
    for argument, (operator, key) in CONDITIONS.items():
        if value := values.optional_text(argument):
            conditions[operator][key] = value
    qualifier = values.optional_text("qualifier")
    statement = {
        "Sid": values.text("statement_id", values.block.address.rpartition(".")[2]),
        "Effect": "Allow",
        "Principal": _principal(values.text("principal")),
        "Action": values.text("action"),
        "Resource": f"{function_arn}:{qualifier}" if qualifier else function_arn,
        "Condition": dict(conditions),
    }
    document = {"Version": "2012-10-17", "Statement": [statement]}
    return blocks.policy(values, FUNCTION, resource=function_arn, document=document)


def _principal(given: str) -> Any:
    if given == "*":
        return given
    return {"AWS" if given.isdigit() or given.startswith("arn:") else "Service": given}
