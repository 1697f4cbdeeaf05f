"""The policies of the roles that deploy and plan, and of the boundary around every role that a deployment makes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from backbone.aws.arn import Place
from backbone.aws.names import BACKBONE_TAG
from backbone.aws.policies import Document, to_json
from backbone.deployment.bootstrap.facts import BootstrapError
from backbone.deployment.bootstrap.grants import PASSED_TO, Grant, grants
from backbone.deployment.bootstrap.needs import Need
from backbone.system.iam.text import like

__all__ = ["LONGEST", "MOST", "Reach", "deploying", "one_policy", "pack", "reading"]

LONGEST = 6_144
"""The characters of a managed policy ("IAM and AWS STS quotas")."""

MOST = 10
"""The managed policies of a role, unless AWS has raised the quota."""


@dataclass(frozen=True)
class Reach:
    """What the roles of an account may reach: the backbone's names there, and what else its stacks need.

    `own` are the ARNs of the roles that bootstrap makes or that deploy, `boundary` is that of the boundary, `keys` are
    those of keys, `needs` is all that the account's stacks need.
    """

    backbone: str
    place: Place
    boundary: str
    own: tuple[str, ...]
    keys: tuple[str, ...]
    needs: tuple[Need, ...]

    def resources(self, grant: Grant) -> list[str]:
        """The resources of a grant: by the backbone's prefix, and those that are named otherwise one by one."""
        if grant.resources:
            place = self.place
            words = {"partition": place.partition, "region": place.region, "backbone": self.backbone}
            return [grant.resources.format(place=f"{place.region}:{place.account_id}", **words)]
        patterns = [
            self._named(grant, name.replace("{name}", self.backbone).replace("{}", f"{self.backbone}-*"))
            for name in grant.names
        ]
        return [*patterns, *self._others(grant, patterns)]

    def roles(self) -> list[str]:
        """The roles that a deployment makes."""
        pattern = self.place.iam(f"role/{self.backbone}-*")
        needed = {need.resource for need in self.needs if need.action == "iam:CreateRole"}
        return [pattern, *sorted(role for role in needed if not like(pattern, role))]

    def _named(self, grant: Grant, name: str) -> str:
        return self.place.arn(grant.service, f"{grant.kind}{name}")

    def _others(self, grant: Grant, patterns: list[str]) -> list[str]:
        actions = {*grant.reads, *grant.writes}
        begins = f"arn:{self.place.partition}:{grant.service}:"
        found = {
            need.resource
            for need in self.needs
            if need.action in actions
            and need.resource.startswith(begins)
            and need.resource.split(":", 5)[5].startswith(grant.kind)
            and not any(like(pattern, need.resource) for pattern in patterns)
        }
        return sorted({_wider(grant, arn) for arn in found})


WIDER = {
    "ApiDestinations": (r"/[0-9a-f-]{36}$", "/*"),
    "Connections": (r"/[0-9a-f-]{36}$", "/*"),
    "ConnectionSecrets": (r"/[^/]*$", "/*"),
    "Layers": (r":[^:]*$", ":*"),
    "Rules": (r"/[^/]*$", "/*"),
}
"""What of an ARN is left open, by the grant: ids that AWS makes, versions of a layer, and the rules of one bus."""


def _wider(grant: Grant, arn: str) -> str:
    pattern, replacement = WIDER.get(grant.sid, ("", ""))
    return re.sub(pattern, replacement, arn) if pattern else arn


def reading(reach: Reach) -> list[Document]:
    """What the roles of an account may read."""
    statements = [
        _statement(grant.sid, grant.reads, reach.resources(grant), _condition(grant, reach))
        for grant in grants()
        if grant.reads
    ]
    roles = ("GetRole", "GetRolePolicy", "ListAttachedRolePolicies", "ListInstanceProfilesForRole", "ListRolePolicies")
    statements.append(_statement("Roles", [f"iam:{word}" for word in roles], reach.roles()))
    if reach.keys:
        statements.append(_statement("GivenKeys", ["kms:DescribeKey"], reach.keys))
    # Lambda shows the environment of a function to those who may decrypt it.
    statements += _keys(reach, "Show", ["kms:Decrypt"])
    return [statement for statement in statements if statement["Resource"]]


def deploying(reach: Reach) -> Mapping[str, list[Document]]:
    """What the role that deploys to an account may do beside reading, by the name of the policy that says it."""
    found: dict[str, list[Document]] = {}
    for grant in grants():
        if grant.writes and (resources := reach.resources(grant)):
            statement = _statement(grant.sid, grant.writes, resources, _condition(grant, reach))
            found.setdefault(grant.policy, []).append(statement)
    return found | {"roles": list(_roles(reach))}


def _roles(reach: Reach) -> Iterator[Document]:
    """Roles are made, and changed, with the boundary only, and go to the services that need them only."""
    roles, place = reach.roles(), reach.place
    bounded = {"StringEquals": {"iam:PermissionsBoundary": reach.boundary}}
    changing = (
        "CreateRole",
        "DeleteRolePolicy",
        "PutRolePermissionsBoundary",
        "PutRolePolicy",
        "UpdateAssumeRolePolicy",
    )
    yield _statement("BoundedRoles", [f"iam:{word}" for word in changing], roles, bounded)
    naming = ("DeleteRole", "TagRole", "UntagRole", "UpdateRole", "UpdateRoleDescription")
    yield _statement("Roles", [f"iam:{word}" for word in naming], roles)
    passed = {"StringEquals": {"iam:PassedToService": list(PASSED_TO)}}
    yield _statement("PassRoles", ["iam:PassRole"], roles, passed)
    # The first API and the first connection of an account make a role of the service.
    linked = ("apidestinations.events.amazonaws.com", "ops.apigateway.amazonaws.com")
    yield _statement(
        "RolesOfServices",
        ["iam:CreateServiceLinkedRole"],
        [place.iam(f"role/aws-service-role/{service}/*") for service in linked],
        {"StringEquals": {"iam:AWSServiceName": list(linked)}},
    )
    # Whatever the roles that deploy are called, they do not change themselves.
    yield {
        "Effect": "Deny",
        "NotAction": ["iam:Get*", "iam:List*"],
        "Resource": list(reach.own),
        "Sid": "NotItself",
    }
    # Services use a key for who makes or reads a resource with it, and keep grants on it.
    yield from _keys(reach, "Use", ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"])
    yield from _keys(reach, "Grant", ["kms:CreateGrant"], {"Bool": {"kms:GrantIsForAWSResource": "true"}})
    # The reference names the key of an archive or stream as what these are done to as well.
    encrypting = ["events:CreateArchive", "events:UpdateArchive", "kinesis:StartStreamEncryption"]
    keys = [place.arn("kms", "key/*"), *reach.keys]
    yield _statement("KeysOfResources", [*encrypting, "kinesis:StopStreamEncryption"], keys)


def _keys(reach: Reach, sid: str, actions: list[str], more: Document | None = None) -> list[Document]:
    """What services may do with keys for a role: with those that the backbone makes, and those that it is given."""
    place = reach.place
    through = {**_through_services(reach), **(more or {})}
    own = {**through, "StringEquals": {f"aws:ResourceTag/{BACKBONE_TAG}": reach.backbone}}
    found = [_statement(f"{sid}OwnKeys", actions, [place.arn("kms", "key/*")], own)]
    return [*found, _statement(f"{sid}GivenKeys", actions, reach.keys, through)] if reach.keys else found


def _through_services(reach: Reach) -> Document:
    return {"StringLike": {"kms:ViaService": f"*.{reach.place.region}.{reach.place.dns_suffix}"}}


def _condition(grant: Grant, reach: Reach) -> Document | None:
    match grant.limit:
        case "region":
            return {"StringEquals": {"aws:RequestedRegion": reach.place.region}}
        case "request-tag":
            return {"StringEquals": {f"aws:RequestTag/{BACKBONE_TAG}": reach.backbone}}
        case "resource-tag":
            return {"StringEquals": {f"aws:ResourceTag/{BACKBONE_TAG}": reach.backbone}}
        case "no-request-tag":
            return {"Null": {f"aws:RequestTag/{BACKBONE_TAG}": "true"}}
        case "key-of-aws":
            return {"StringLike": {"kms:RequestAlias": "alias/aws/*"}}
        case "function":
            functions = next(each for each in grants() if each.sid == "Functions")
            return {"ArnLike": {"lambda:FunctionArn": reach.resources(functions)}}
    return None


def _statement(sid: str, actions: Iterable[str], resources: Iterable[str], condition: Any = None) -> Document:
    found: Document = {"Action": sorted(actions), "Effect": "Allow", "Resource": list(resources), "Sid": sid}
    return found | {"Condition": condition} if condition else found


def one_policy(what: str, statements: Iterable[Document]) -> str:
    """The document of these statements; BootstrapError when it is too long for a managed policy."""
    text = to_json(_document(list(statements)))
    if len(text) > LONGEST:
        raise BootstrapError(
            f"{what}: got {len(text):,} characters; allowed: {LONGEST:,}; divide the services among more accounts"
        )
    return text


def pack(name: str, statements: Iterable[Document]) -> dict[str, str]:
    """Documents of these statements, each short enough for a managed policy, by names that begin with a name.

    BootstrapError when a statement is too long by itself.
    """
    packed: list[list[Document]] = [[]]
    for statement in statements:
        if len(to_json(_document([statement]))) > LONGEST:
            raise BootstrapError(
                f"{name}: the statement {statement['Sid']} names {len(statement['Resource'])} resources, more than fit "
                f"in a policy of {LONGEST:,} characters; give buses their default names"
            )
        if len(to_json(_document([*packed[-1], statement]))) > LONGEST:
            packed.append([])
        packed[-1].append(statement)
    return {
        f"{name}-{number}" if number > 1 else name: to_json(_document(part)) for number, part in enumerate(packed, 1)
    }


def _document(statements: list[Document]) -> Document:
    return {"Statement": statements, "Version": "2012-10-17"}
