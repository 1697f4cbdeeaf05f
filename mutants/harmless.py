"""Edits that AWS takes, and that lose nothing and change no security: each with the reason."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mutants.edits import Edit

__all__ = ["HARMLESS", "Harmless", "reason"]


@dataclass(frozen=True)
class Harmless:
    """A reason, and the edits that it holds for: of resource types, at arguments, and of what is done there.

    With `unless_noticed` it holds only where nothing else of the system depends on what is edited.
    """

    reason: str
    types: str
    arguments: str
    what: str = ".*"
    unless_noticed: bool = False

    def covers(self, edit: Edit) -> bool:
        """Whether the reason holds for an edit, as far as the edit alone tells."""
        return bool(
            re.fullmatch(self.types, edit.type)
            and re.fullmatch(self.arguments, edit.argument)
            and re.fullmatch(self.what, edit.what)
        )


GONE = "removed|null"
REWORDED = "misspelt|other case|wrong characters"
NUDGED = "one less|one more"
POLICY = r"(assume_role_policy|policy|policy_document)\."
STATEMENT = POLICY + r"Statement\[\d\]\."

HARMLESS: tuple[Harmless, ...] = (
    # What is for people only
    Harmless("a description may say anything", ".*", "description", f"{GONE}|emptied|{REWORDED}"),
    Harmless(
        "a tag tells people something",
        "provider",
        r"\[\d\]\.default_tags.*",
        f"{GONE}|emptied|misspelt|other case|key misspelt|unknown argument",
        unless_noticed=True,
    ),
    Harmless("an output changes no resource", "output", ".*", "to another .*", unless_noticed=True),
    Harmless(
        "the names of services and metrics are labels",
        "aws_lambda_function",
        r"environment\.variables\.POWERTOOLS_\w+",
        f"{GONE}|key misspelt|emptied|{REWORDED}",
    ),
    Harmless("a variable that nobody reads", "aws_lambda_function", r"environment\.variables\.no_such_argument"),
    # Names
    Harmless(
        "a name is free where everything refers to it by an expression",
        ".*",
        "(name|function_name|policy_name|target_id)",
        f"{REWORDED}|{GONE}|another resource's name",
        unless_noticed=True,
    ),
    Harmless(
        "AWS takes a second one beside the first",
        "aws_apigatewayv2_(api|integration)|aws_lambda_permission",
        "",
        "made twice",
        unless_noticed=True,
    ),
    # What means the same
    Harmless("an action is the same in any case", ".*", STATEMENT + r"Action(\[\d\])?", "other case"),
    Harmless(
        "a list of one is the same as the one",
        ".*",
        POLICY + "Statement.*",
        "in a list|without a list",
        unless_noticed=True,
    ),
    Harmless("an element of a set twice is there once", ".*", STATEMENT + ".*", "element duplicated"),
    Harmless("a value of a pattern twice is there once", ".*", r"event_pattern\..*", "value duplicated"),
    Harmless("a Sid is a label", ".*", STATEMENT + "Sid", "removed|emptied|wrong characters", unless_noticed=True),
    Harmless("an Id is a label", ".*", POLICY + "Id", "id added", unless_noticed=True),
    Harmless(
        "without a Sid two alike statements are one", ".*", POLICY + "Statement", "duplicated", unless_noticed=True
    ),
    Harmless(
        "the older version differs in variables, and there are none",
        ".*",
        POLICY + "Version",
        "version 2008|removed",
        unless_noticed=True,
    ),
    Harmless("an account's id stands for its root", ".*", STATEMENT + r"Principal\.AWS.*", "account by its id"),
    Harmless("the other attribute has the same value", ".*", ".*", "to another attribute of the same value"),
    Harmless(
        "of one value, any is the value",
        ".*",
        STATEMENT + r"Condition\.\w+",
        "ForAnyValue",
    ),
    # What other parts say as well
    Harmless(
        "in a resource's own policy, everything is the resource",
        "aws_cloudwatch_event_bus_policy|aws_sqs_queue_policy",
        STATEMENT + "Resource",
        "widened",
        unless_noticed=True,
    ),
    Harmless(
        "a condition on the ARN says who may ask, whoever the principal is",
        "aws_cloudwatch_event_bus_policy|aws_iam_role|aws_sqs_queue_policy",
        STATEMENT + r"Principal(\.AWS|\.Service)?",
        "widened",
        unless_noticed=True,
    ),
    Harmless(
        "the ARN of the other condition names the account, or the account's condition is enough",
        "aws_iam_role|aws_cloudwatch_log_resource_policy",
        STATEMENT + r"Condition\.\w+(\.aws:Source(Arn|Account))?",
        "removed",
        unless_noticed=True,
    ),
    Harmless(
        "an account in the principal is of its organization",
        "aws_cloudwatch_event_bus_policy",
        STATEMENT + r"Condition\.StringEquals\.aws:PrincipalOrgID",
        "removed",
        unless_noticed=True,
    ),
    Harmless(
        "a service may be bound to its source only (pin_detail_types: false)",
        "aws_cloudwatch_event_bus_policy",
        STATEMENT + r"Condition\.StringEquals\.events:detail-type",
        "removed",
        unless_noticed=True,
    ),
    Harmless(
        "in its own account a bus takes what identities are allowed; who publishes nothing needs no source",
        "aws_cloudwatch_event_bus_policy",
        STATEMENT + r"Condition(\.StringEquals\.events:source(\[\d\])?)?",
        f"(element )?removed|emptied|{REWORDED}",
        unless_noticed=True,
    ),
)
"""Every reason, the special ones first."""


def reason(edit: Edit, *, noticed: bool) -> str | None:
    """Why an edit is harmless, when it is noticed and when it is not; None when it is not known to be."""
    return next(
        (entry.reason for entry in HARMLESS if entry.covers(edit) and not (noticed and entry.unless_noticed)), None
    )
