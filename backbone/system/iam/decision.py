"""Whether IAM allows a request, and by which statement.

Source of the rules: IAM user guide, "Policy evaluation logic", "Cross-account policy evaluation logic" and
"Permissions boundaries for IAM entities".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from backbone.system.iam.document import Policy
from backbone.system.iam.principals import Grant, Who
from backbone.system.iam.request import Context, Request

__all__ = ["Decision", "Identity", "authorize", "implied_keys"]


@dataclass(frozen=True)
class Identity:
    """Who asks: an AWS service by its name, or a principal of an account by the ARN of its role, user or root.

    `policies` are those of the principal, inline and managed; None stands for an identity of the account that may do
    everything. `session` is the session's name, where it is known; `session_policies` were passed when the role was
    assumed.
    """

    name: str
    account_id: str = ""
    policies: tuple[Policy, ...] | None = None
    boundary: Policy | None = None
    session_policies: tuple[Policy, ...] = ()
    session: str = ""

    @property
    def is_service(self) -> bool:
        """Whether it is an AWS service, such as events.amazonaws.com."""
        return not self.name.startswith("arn:")

    def who(self) -> Who:
        """The principal as resources' policies name it."""
        who = Who(self.name, self.account_id, "", self.boundary is not None)
        return Who(who.name, who.account_id, who.sessions + self.session, who.bounded) if self.session else who


@dataclass(frozen=True)
class Decision:
    """Whether a request is allowed, and why in words."""

    allowed: bool
    why: str

    def __bool__(self) -> bool:
        return self.allowed


@dataclass
class _Findings:
    """What some policies say of a request."""

    denial: str = ""
    allowance: str = ""
    grant: Grant = Grant.NOT
    unsure: list[str] = field(default_factory=list)


def authorize(
    who: Identity,
    action: str,
    resource: str,
    *,
    owner: str,
    policies: Iterable[Policy] = (),
    context: Context,
    ahead: bool = False,
) -> Decision:
    """Whether an identity may do something to a resource of the account `owner` that has `policies` of its own.

    `context` is what the caller knows of the request; the keys that follow from the identity and the resource are
    added. A statement whose conditions cannot be told does not allow, and denies. With `ahead` it is the other way
    about: that asks, before there is a request, whether anything could be allowed.
    """
    request = Request(action, resource, {**implied_keys(who, resource, owner), **context})
    policies = tuple(policies)
    named = who.who()
    of_resource = _look(policies, request, named, ahead=ahead)
    of_identity = _look(who.policies or (), request, named, ahead=ahead)
    limits = [group for group in ((who.boundary,) if who.boundary else (), who.session_policies) if group]
    of_limits = [_look(group, request, named, ahead=ahead) for group in limits]
    for found in (of_resource, of_identity, *of_limits):
        if found.denial:
            return Decision(False, found.denial)
    if who.is_service:
        if of_resource.allowance:
            return Decision(True, of_resource.allowance)
        return _no(f"no policy of {resource} allows {who.name} {action}", of_resource)
    if who.policies is None:
        of_identity.allowance = f"an identity of account {who.account_id}"
    limited = next((found for found in of_limits if not found.allowance), None)
    if who.account_id != owner:
        return _across(who, action, request, of_resource, of_identity, limited)
    if of_resource.allowance or not any(policy.kind.must_allow for policy in policies):
        return _within(who, action, request, of_resource, of_identity, limited)
    return _no(f"the policy of {resource} does not allow {who.name} {action}", of_resource)


def _within(
    who: Identity,
    action: str,
    request: Request,
    of_resource: _Findings,
    of_identity: _Findings,
    limited: _Findings | None,
) -> Decision:
    if of_resource.grant is Grant.DIRECT:
        return Decision(True, of_resource.allowance)
    if limited:
        return _no(f"the permissions boundary or session of {who.name} does not allow {action}", limited)
    if of_resource.grant is Grant.ROLE:
        return Decision(True, of_resource.allowance)
    if of_identity.allowance:
        return Decision(True, of_identity.allowance)
    if of_resource.allowance:
        return _no(f"no policy of {who.name} allows {action} on {request.resource}", of_identity)
    return _no(f"no policy allows {who.name} {action} on {request.resource}", of_identity, of_resource)


def _across(
    who: Identity,
    action: str,
    request: Request,
    of_resource: _Findings,
    of_identity: _Findings,
    limited: _Findings | None,
) -> Decision:
    if not of_identity.allowance:
        return _no(f"no policy of {who.name} allows {action} on {request.resource}", of_identity)
    if limited:
        return _no(f"the permissions boundary or session of {who.name} does not allow {action}", limited)
    if not of_resource.allowance:
        why = f"the policy of {request.resource} does not allow {who.name} {action}{_event(request)}"
        return _no(why, of_resource)
    return Decision(True, of_resource.allowance)


def _no(why: str, *findings: _Findings) -> Decision:
    unsure = [name for found in findings for name in found.unsure]
    return Decision(False, f"{why} (the conditions of {unsure[0]} cannot be told here)" if unsure else why)


def _event(request: Request) -> str:
    given = {key: request.get(key) for key in ("events:source", "events:detail-type")}
    words = [f"{key} {', '.join(map(repr, value))}" for key, value in given.items() if isinstance(value, tuple)]
    return f" with {', '.join(words)}" if words else ""


def implied_keys(who: Identity, resource: str, owner: str) -> Context:
    """The context keys that follow from who asks and for what ("AWS global condition context keys")."""
    region = resource.split(":")[3] if resource.count(":") >= 5 else ""
    keys: dict[str, str | Sequence[str] | None] = {
        "aws:SecureTransport": "true",
        "aws:ViaAWSService": "false",
        "aws:CalledVia": None,
        "aws:CalledViaFirst": None,
        "aws:CalledViaLast": None,
        "aws:FederatedProvider": None,
        "aws:MultiFactorAuthAge": None,
        "aws:SourceIdentity": None,
        "aws:referer": None,
    }
    keys |= {"aws:RequestedRegion": region} if region else {}
    keys |= {"aws:ResourceAccount": owner} if owner else {}
    if who.is_service:
        return keys | {
            "aws:PrincipalArn": None,
            "aws:PrincipalIsAWSService": "true",
            "aws:PrincipalOrgID": None,
            "aws:PrincipalOrgPaths": None,
            "aws:PrincipalServiceName": who.name,
            "aws:PrincipalServiceNamesList": (who.name,),
            "aws:TokenIssueTime": None,
            "aws:username": None,
        }
    keys |= {
        "aws:PrincipalAccount": who.account_id,
        "aws:PrincipalArn": who.name,
        "aws:PrincipalIsAWSService": "false",
        "aws:PrincipalServiceName": None,
        "aws:PrincipalServiceNamesList": None,
        "aws:SourceAccount": None,
        "aws:SourceArn": None,
        "aws:SourceOrgID": None,
        "aws:SourceOrgPaths": None,
    }
    if ":role/" in who.name:
        keys |= {"aws:PrincipalType": "AssumedRole", "aws:MultiFactorAuthPresent": "false", "aws:username": None}
    elif ":user/" in who.name:
        keys |= {"aws:PrincipalType": "User", "aws:username": who.name.rpartition("/")[2]}
    return keys


def _look(policies: Iterable[Policy], request: Request, who: Who, *, ahead: bool) -> _Findings:
    found = _Findings()
    for policy in policies:
        for statement in policy.statements:
            grant = statement.principals.grant(who) if statement.principals else Grant.DIRECT
            if grant is Grant.NOT:
                continue
            applies = statement.applies(request)
            if applies is False:
                continue
            sure = applies is True and grant is not None
            name = f"{policy.address}, statement {statement.name}"
            if not statement.allows:
                if sure or not ahead:
                    why = f"denied by {name}" if sure else f"denied by {name}, whose conditions cannot be told here"
                    found.denial = found.denial or why
            elif sure or ahead:
                strength = Grant.DIRECT if grant is None else grant
                if strength > found.grant:
                    found.grant, found.allowance = strength, name
            else:
                found.unsure.append(name)
    return found
