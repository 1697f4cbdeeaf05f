"""Who may do what after a change and could not before, by asking the IAM engine both times."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import replace

from backbone.aws.arn import Arn, ArnError
from backbone.deployment.dangers import Danger, danger
from backbone.deployment.holders import Holder, Request, holders
from backbone.deployment.requests import Requests
from backbone.deployment.samples import ELSEWHERE, NOBODY, STRANGER, instances, text_of
from backbone.system.iam import BUS, KEY, TRUST, Identity, Statement
from backbone.system.iam.catalogue import service
from backbone.system.iam.text import like
from backbone.system.model import System

__all__ = ["compared", "widened"]

SENDING = {
    *("events:putevents", "sqs:sendmessage", "sns:publish", "lambda:invokefunction"),
    *("logs:createlogstream", "logs:putlogevents"),
}
"""What others do with a resource of a backbone; everything else is the owner's."""

PRIVILEGED = ("iam:", "organizations:", "sts:", "account:")
CONTROL = re.compile(
    r"[a-z0-9-]+:(Add|Attach|Create|Delete|Detach|Disable|Modify|Purge|Put|Remove|Set|Update)"
    r"(?!Events$|Items?$|LogEvents$|LogStream$|Message(Batch)?$|MetricData$|Objects?$|Records?$|TelemetryRecords$|TraceSegments$)"
)
"""Actions on resources themselves, and not on what is in them."""

KINDS = (
    "alias|api-destination|archive|cluster|connection|event-bus|function|group|key|layer|log-group|parameter|policy|repository"
    "|role|rule|secret|stateMachine|stream|table|user"
)
WIDE = re.compile(rf"(arn:[^:]*:[^:]*:[^:]*:[^:]*:)?(({KINDS})[:/])?[*?].*|arn:.*[*?].*:.*:.*")
"""A resource of a policy that reaches further than beneath a resource: without a name, or over accounts."""


def widened(before: System, after: System, accounts: Collection[str]) -> Iterator[Danger]:
    """What is allowed after a change and was not before; `accounts` are the ids of the backbone's.

    What a backbone does anyway, by name, is a note; a resource that is new has none.
    """
    old = {holder.key: holder for holder in holders(before)}
    for holder in holders(after):
        yield from compared(old.get(holder.key), holder, accounts)


def compared(before: Holder | None, after: Holder, accounts: Collection[str]) -> Iterator[Danger]:
    """What a holder allows and did not allow before."""
    known = before or after.without_policies()
    undenied = known.without_denials(after)
    reasons: dict[str, str] = {}
    ordinary: dict[str, None] = {}
    for statement, request in Requests(known, after, accounts).each():
        if request is None:
            reasons.setdefault(
                f"has more conditions than can be tried: compare statement {statement.name} yourself", ""
            )
        elif after.allows(request) and not known.allows(request):
            why = _reason(statement, request, after, known, accounts)
            if why is None and undenied.allows(request):
                why = "allows what a Deny kept out"
            if why:
                reasons.setdefault(why, f"{request.action}, ")
            else:
                ordinary[_words(request, after)] = None
    for why, action in reasons.items():
        yield danger("access-widened", after.id, f"{why} ({action}{after.name})")
    if ordinary and before and not reasons:
        first, *others = ordinary
        more = f", and {len(others)} more of the kind" if others else ""
        yield danger("access-widened", after.id, f"{first}{more} ({after.name})", severity="note")


def _words(request: Request, holder: Holder) -> str:
    if holder.identity:
        return f"may {request.action} on {request.resource}"
    values = [f"{key} {value}" for key, value in request.context.items() if isinstance(value, str)]
    return f"lets {request.who.name} {request.action}{' with ' if values else ''}{', '.join(values)}"


def _openings(request: Request, before: Holder, after: Holder) -> list[str]:
    """The condition keys that a request lacks, or has a value of that no policy names."""
    found = []
    for key, value in request.context.items():
        texts = (value,) if isinstance(value, str) else value or ()
        if value is None:
            found.append(f"without {key}")
        elif {NOBODY, ELSEWHERE} & {*texts}:
            found.append(f"with any {key}")
        elif any(NOBODY in text for text in texts) and _is_grown(request, key, before, after):
            found.append(f"with {key} like {', '.join(texts)}")
    return found


def _is_grown(request: Request, key: str, before: Holder, after: Holder) -> bool:
    """Whether the same was allowed, and still is, with a value of a condition key that is named."""
    return any(
        before.allows(other) and after.allows(other)
        for found in before.statements
        for condition in found.conditions
        if condition.key.lower() == key
        for value in condition.values
        for text in instances(text_of(value))
        for other in [replace(request, context={**request.context, key: text})]
    )


def _reason(
    statement: Statement, request: Request, holder: Holder, before: Holder, accounts: Collection[str]
) -> str | None:
    """Why it would be dangerous if a request is allowed now; None when that is what a backbone does."""
    if holder.identity is not None:
        return _reason_of_role(statement, request, holder, before, accounts)
    who, kind, named = request.who, holder.kind, statement.principals
    if not who.is_service and who.account_id not in accounts:
        anybody = who.account_id == STRANGER and (named is None or named.everyone or named.but)
        return f"lets {'anybody' if anybody else f'the account {who.account_id}'} in"
    name = who.name if who.is_service else f"the account {who.account_id}"
    if (NOBODY in who.name or who.name.endswith(":root")) and (everyone := _everyone(statement, request, before)):
        return everyone
    if openings := _openings(request, before, holder):
        return f"lets {name} in {', '.join(openings)}"
    if kind not in (TRUST, KEY) and who.account_id == holder.account_id and ":role/" not in who.name:
        return None  # its own policies decide
    if request.action.lower() not in SENDING and kind not in (TRUST, KEY):
        return f"lets {name} do more than send"
    if who.is_service or (kind is not TRUST and who.account_id == holder.account_id):
        return None
    if kind is TRUST:
        return f"may be assumed by {who.name}"
    if kind is not BUS:
        return f"lets {name} in, which is not its own"
    return _taken_source(request, before, accounts)


def _everyone(statement: Statement, request: Request, before: Holder) -> str | None:
    """What it is called that principals are let in whom nothing names; None where the account was not in before."""
    who = request.who
    if who.is_service:
        return "lets any service of AWS in"
    known = {arn for found in before.statements if found.principals for arn in found.principals.arns}
    known |= {
        text
        for found in before.statements
        for condition in found.conditions
        if condition.key.lower() == "aws:principalarn"
        for value in condition.values
        for text in instances(text_of(value))
    }
    others = [Identity(arn, who.account_id, who.policies) for arn in known if f":{who.account_id}:" in arn]
    was_in = any(before.allows(Request(o, request.action, request.resource, request.context)) for o in others)
    everyone = statement.principals is not None and statement.principals.everyone
    return (
        f"lets any principal of the account {who.account_id} in"
        if was_in or (everyone and NOBODY in who.name)
        else None
    )


def _taken_source(request: Request, before: Holder, accounts: Collection[str]) -> str | None:
    """A source that was another account's alone."""
    source = request.context.get("events:source")
    for account_id in sorted({*accounts} - {request.who.account_id, before.account_id}) if source else ():
        other = Identity(f"arn:aws:iam::{account_id}:root", account_id)
        types = {
            text
            for found in before.statements
            for condition in found.conditions
            for value in condition.values
            for text in instances(text_of(value))
        }
        for detail_type in types | {str(request.context.get("events:detail-type"))}:
            context = {**request.context, "events:detail-type": detail_type}
            if before.allows(Request(other, request.action, request.resource, context)):
                return f"lets the account {request.who.account_id} publish as {source}, a source of {account_id}"
    return None


def _reason_of_role(
    statement: Statement, request: Request, holder: Holder, before: Holder, accounts: Collection[str]
) -> str | None:
    prefix = request.action.partition(":")[0]
    if statement.but_actions or any("*" in action for action in statement.actions):
        return f"may do more than is named, such as {request.action}"
    if request.action.lower().startswith(PRIVILEGED) or CONTROL.match(request.action):
        return f"may {request.action}"
    known = service(prefix)
    action = next(iter(known.matching(request.action.partition(":")[2])), None) if known else None
    if NOBODY in request.resource and (action is None or action.resources) and _is_wide(statement, request):
        return f"may use any resource of {prefix}"
    if openings := _openings(request, before, holder):
        return f"may {request.action} {', '.join(openings)}"
    try:
        account = Arn.parse(request.resource).account_id
    except ArnError:
        return None
    return f"may use {request.resource} of another account" if account and account not in {*accounts, "aws"} else None


def _is_wide(statement: Statement, request: Request) -> bool:
    return statement.but_resources or any(
        WIDE.fullmatch(found.pattern) and ":execute-api:" not in found.pattern
        for found in statement.resources
        if like(found.pattern, request.resource)
    )
