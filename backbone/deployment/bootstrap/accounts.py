"""The stack of an account: the roles that deploy and plan, and the boundary."""

from __future__ import annotations

from backbone.aws.arn import Arn
from backbone.aws.names import BOOTSTRAP_PATH
from backbone.aws.policies import Document
from backbone.deployment.bootstrap.boundary import boundary
from backbone.deployment.bootstrap.facts import BootstrapError, Facts
from backbone.deployment.bootstrap.permissions import MOST, Reach, deploying, one_policy, pack, reading
from backbone.deployment.bootstrap.resources import Resources
from backbone.deployment.bootstrap.roles import entry_role, name_of, own, trust_role

__all__ = ["account_stack"]


def account_stack(facts: Facts, account: str) -> Document:
    """The role that deploys to an account, the role that plans, and the boundary, with their policies.

    BootstrapError where AWS would not take so many or so long policies.
    """
    place, reach = facts.place(account), _reach(facts, account)
    read = pack("read", reading(reach))
    write = {name: text for part, found in deploying(reach).items() for name, text in pack(part, found).items()}
    if len(read) + len(write) > MOST:
        raise BootstrapError(
            f"accounts.{account}: its deploy role would need {len(read) + len(write)} policies, and AWS allows {MOST}; "
            "give buses their default names, or divide the services among more accounts"
        )
    made = Resources()
    made.policy(
        "boundary",
        facts.boundary(account),
        one_policy(f"accounts.{account}: the boundary of its roles", boundary(facts, account)),
        description="The most that a role of the backbone can do",
    )
    for name, text in {**read, **write}.items():
        words = "What is read to plan" if name in read else "What is written to deploy"
        arn = place.iam(f"policy/{BOOTSTRAP_PATH}{name_of(facts, f'deploy-{name}')}")
        made.policy(name, arn, text, description=words)
    made.role(
        "deploy",
        facts.deploy_role(account),
        description="Deploys the backbone",
        trust=trust_role(entry_role(facts)),
        policies={**read, **write},
    )
    made.role(
        "plan",
        facts.plan_role(account),
        description="Reads what the backbone has, to plan",
        trust=trust_role(entry_role(facts, planning=True)),
        policies=read,
    )
    return made.document(account, place, facts.providers[account].body.get("default_tags"))


def _reach(facts: Facts, account: str) -> Reach:
    place = facts.place(account)
    return Reach(
        backbone=facts.declared.backbone,
        place=place,
        boundary=facts.boundary(account),
        own=tuple(arn for arn in own(facts, account) if Arn.parse(arn).account_id == place.account_id),
        keys=facts.keys(account),
        needs=facts.needs[account],
    )
