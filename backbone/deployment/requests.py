"""Requests that tell two sets of policies apart: of all that their statements distinguish, one of each sort."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Sequence
from itertools import combinations, islice, product
from typing import TypeVar

from backbone.deployment.holders import Holder, Request, Value, content
from backbone.deployment.samples import NOBODY, STRANGER, instances, meet, of_condition, text_of
from backbone.system.access import SENDING
from backbone.system.iam import Identity, Statement
from backbone.system.iam.catalogue import service
from backbone.system.iam.conditions import Condition
from backbone.system.iam.decision import implied_keys
from backbone.system.iam.principals import Grant
from backbone.system.iam.request import CROSS_SERVICE, Missing
from backbone.system.iam.request import Request as Seen
from backbone.system.iam.text import Variable, like

__all__ = ["Requests"]

MOST = 2_000
"""How many requests are tried for one statement."""

OPEN = {
    *("aws:calledvia", "aws:calledviafirst", "aws:calledvialast", "aws:federatedprovider", "aws:multifactorauthage"),
    *("aws:referer", "aws:securetransport", "aws:sourceidentity", "aws:tokenissuetime", "aws:viaawsservice"),
}
"""Keys that the engine presumes a value of, and that a request can have another value of."""

ALWAYS = ("aws:currenttime", "aws:epochtime", "aws:securetransport", "events:source", "events:detail-type")
"""Keys that no request lacks that can have them."""

ORDINARY = {action.lower() for action in SENDING.values()}
T = TypeVar("T")


def _cells(found: Iterable[T], sort: Callable[[T], Hashable]) -> list[T]:
    """The first of each sort."""
    return list({sort(each): each for each in reversed(list(found))}.values())[::-1]


class Requests:
    """The requests for what a holder allows, where it allowed something else `before`."""

    def __init__(self, before: Holder, after: Holder, accounts: Collection[str]) -> None:
        self._before, self._after, self._accounts = before, after, accounts
        limits = [statement for holder in (before, after) for statement in holder.limits or ()]
        self._statements = [*before.statements, *after.statements, *limits]
        self._people = self._everybody()

    def each(self) -> Iterator[tuple[Statement, Request | None]]:
        """Requests for each statement that can allow what was not allowed; None where there are too many to try all."""
        earlier = {content(found) for found in self._before.statements}
        denied = {content(found) for found in self._before.statements if not found.allows}
        freed = not denied <= {content(found) for found in self._after.statements} or _limits_differ(
            self._before, self._after
        )
        for statement in self._after.statements:
            if statement.allows and (freed or content(statement) not in earlier):
                tried = 0
                for request in islice(self._of(statement), MOST):
                    tried += 1
                    if self._can_be(request):
                        yield statement, request
                if tried == MOST:
                    yield statement, None

    def _of(self, statement: Statement) -> Iterator[Request]:
        for who in [self._after.identity] if self._after.identity else self._identities(statement):
            for action in self._actions(statement):
                about = [other for other in self._statements if _is_about(other, action)]
                for resource in self._resources(statement, about):
                    known = implied_keys(who, resource, self._after.account_id)
                    keys = _Keys(statement, about, Seen(action, resource, known))
                    for values in product(*keys.values()):
                        yield Request(who, action, resource, dict(zip(keys.names, values, strict=True)))

    def _can_be(self, request: Request) -> bool:
        """Whether what a request says of its source and of the organization goes together."""
        found, who = request.context, request.who
        source, account = found.get("aws:sourcearn"), found.get("aws:sourceaccount")
        if "aws:sourceaccount" in found and isinstance(source, str) and _account(source) not in ("", account):
            return False
        if {"aws:principalorgid", "aws:principalorgpaths"} <= found.keys():
            member, path = found["aws:principalorgid"], found["aws:principalorgpaths"]
            paths = [path] if isinstance(path, str) else path or ()
            others = [each for each in paths if each != NOBODY and each.partition("/")[0] != member]
            if others or (member is None) is not (path is None):
                return False
        ours = [("aws:resourceorgid", self._after.account_id), ("aws:resourceorgpaths", self._after.account_id)]
        ours += [("aws:principalorgid", who.account_id), ("aws:principalorgpaths", who.account_id)]
        ours += [(key, str(account)) for key in ("aws:sourceorgid", "aws:sourceorgpaths")]
        return not any(
            key in found and account_id in self._accounts and found[key] in (None, NOBODY) for key, account_id in ours
        )

    def _everybody(self) -> list[Identity]:
        """Whom the statements tell apart, strangers first."""
        accounts: dict[str, None] = {STRANGER: None, self._after.account_id: None}
        arns: dict[str, None] = {}
        services: dict[str, None] = {}
        for statement in self._statements:
            for condition in statement.conditions:
                for value in condition.values:
                    _note(condition.key.lower(), value.pattern, accounts, arns, services)
            if named := statement.principals:
                accounts |= dict.fromkeys(sorted(named.accounts))
                arns |= {arn: None for arn in sorted(named.arns) if arn.count(":") > 4 and not arn.endswith(":root")}
                services |= dict.fromkeys(sorted(named.services))
        accounts |= dict.fromkeys(filter(None, map(_account, arns)))
        arns |= dict.fromkeys(f"arn:aws:iam::{account_id}:role/{NOBODY}" for account_id in accounts)
        found = [Identity(f"arn:aws:iam::{account_id}:root", account_id) for account_id in accounts]
        for arn in arns:
            # Of the resource's own account what counts is what the resource's policy allows by itself.
            policies = () if _account(arn) == self._after.account_id else None
            found.append(Identity(arn, _account(arn), policies))
        return [*found, *(Identity(name) for name in [*services, f"{NOBODY}.amazonaws.com"])]

    def _identities(self, statement: Statement) -> list[Identity]:
        """Whom a statement lets in, one of each sort."""
        principals = statement.principals

        def conditions_hold(who: Identity, of: Statement) -> tuple[bool | None, ...]:
            known = implied_keys(who, self._after.arn, self._after.account_id)
            seen = Seen("", "", {key: value for key, value in known.items() if key.lower() not in OPEN})
            about = (found for found in of.conditions if found.key.lower().startswith("aws:"))
            return tuple(found.holds(seen) for found in about if seen.get(found.key) is not Missing.UNKNOWN)

        def is_let_in(who: Identity) -> bool:
            grant = principals.grant(who.who()) if principals else Grant.DIRECT
            return grant is not Grant.NOT and False not in conditions_hold(who, statement)

        def sort(who: Identity) -> Hashable:
            named = tuple(found.principals.grant(who.who()) if found.principals else None for found in self._statements)
            held = tuple(conditions_hold(who, found) for found in self._statements if found.conditions)
            account = who.account_id in self._accounts if principals and principals.everyone else who.account_id
            return named, held, account, who.is_service, who.account_id == self._after.account_id

        return _cells(filter(is_let_in, self._people), sort)

    def _actions(self, statement: Statement) -> list[str]:
        """What a statement allows: all that it names, and of wildcards an action of each sort."""
        wild = [pattern for pattern in statement.actions if "*" in pattern or "?" in pattern]
        if not wild and not statement.but_actions:
            return list(statement.actions)
        named = [pattern for found in self._statements for pattern in found.actions]
        prefixes = dict.fromkeys(["iam" if self._after.identity else self._after.arn.split(":")[2], "sts"])
        prefixes |= {pattern.partition(":")[0]: None for pattern in named if pattern.partition(":")[0] != "*"}
        known = [action for prefix in prefixes for action in _all_of(prefix)]
        exact = [] if statement.but_actions else [pattern for pattern in statement.actions if pattern not in wild]
        tried = [*known, *named, *(text for pattern in named for text in instances(pattern)), f"other:{NOBODY}"]
        found = _cells(
            (action for action in tried if ":" in action and _is_about(statement, action) and action not in exact),
            lambda action: tuple(_is_about(other, action) for other in self._statements),
        )
        return [*exact, *found]

    def _resources(self, statement: Statement, about: Sequence[Statement]) -> list[str]:
        """What a statement is about, one resource of each sort."""
        holder = self._after
        patterns = list(dict.fromkeys(text_of(each) for found in about for each in found.resources))
        found = [text for pattern in patterns for text in instances(pattern)]
        found += filter(None, (meet(one, other) for one, other in combinations(patterns, 2)))
        found.append(f"arn:aws:sqs:eu-west-1:{holder.account_id}:{NOBODY}")
        if holder.identity is None:
            covered = holder.kind.covers(holder.arn) if holder.kind else (holder.arn,)
            found = [holder.arn, *(text for text in found if any(like(pattern, text) for pattern in covered))]

        def names(each: Statement, resource: str) -> bool:
            return (
                not each.resources
                or any(like(text_of(one), resource) for one in each.resources) is not each.but_resources
            )

        return _cells(
            (text for text in found if names(statement, text)), lambda text: tuple(names(each, text) for each in about)
        )


class _Keys:
    """The condition keys that statements about an action ask for, with values of each sort that one statement takes."""

    def __init__(self, statement: Statement, about: Sequence[Statement], seen: Seen) -> None:
        self._statement, self._seen = statement, seen
        self._conditions: dict[str, list[Condition]] = {}
        self._variables: set[str] = set()
        for found in about:
            for condition in found.conditions:
                self._conditions.setdefault(condition.key.lower(), []).append(condition)
            templates = [*found.resources, *(value for condition in found.conditions for value in condition.values)]
            parts = [part for template in templates for part in template.parts]
            self._variables |= {part.key.lower() for part in parts if isinstance(part, Variable)}
        every = [*self._conditions, *sorted(self._variables - self._conditions.keys())]
        self.names = [key for key in every if self._is_open(key)]

    def _is_open(self, key: str) -> bool:
        """Whether a request can have this or that value of a key."""
        prefix, of_action = key.partition(":")[0], self._seen.action.partition(":")[0]
        if prefix != "aws" and of_action != "sts" and prefix != of_action and key not in CROSS_SERVICE:
            return False
        return key in OPEN or self._seen.get(key) is Missing.UNKNOWN

    def values(self) -> list[list[Value]]:
        """The values of each key, in the order of `names`, the least usual first."""
        return [self._values(key) for key in self.names]

    def _values(self, key: str) -> list[Value]:
        conditions = self._conditions.get(key, [])
        found: list[Value] = [*of_condition(conditions, self._seen)]
        found += self._of_the_same_account(key)
        if key not in ALWAYS:
            found.append(None)
        found = _cells(found, lambda value: (self._tag(key, value), self._answers(conditions, key, value)))
        if any(condition.operator.quantifier for condition in conditions):
            single = [value for value in found if isinstance(value, str)]
            several = [*combinations(single, 2), *combinations(single, len(single) - 1), tuple(single)]
            found = _cells([*found, *several], lambda value: self._answers(conditions, key, value))
        mine = [condition for condition in self._statement.conditions if condition.key.lower() == key]
        return [value for value in found if False not in self._answers(mine, key, value)]

    def _answers(self, conditions: Iterable[Condition], key: str, value: Value) -> tuple[bool | None, ...]:
        seen = Seen(self._seen.action, self._seen.resource, {**self._known(), key: value})
        return tuple(condition.holds(seen) for condition in conditions)

    def _known(self) -> dict[str, Value]:
        found = {key: self._seen.get(key) for key in [*self._variables, *self._conditions]}
        known: dict[str, Value] = {key: value for key, value in found.items() if not isinstance(value, Missing)}
        return dict.fromkeys(self._variables, NOBODY) | known

    def _of_the_same_account(self, key: str) -> Iterator[str]:
        """Values of one of the two keys of a source that go with those of the other."""
        if key == "aws:sourceaccount":
            named = of_condition(self._conditions.get("aws:sourcearn", []), self._seen)
            yield from filter(None, (_account(value) for value in named))
        elif key == "aws:sourcearn":
            for account_id in of_condition(self._conditions.get("aws:sourceaccount", []), self._seen):
                if account_id != NOBODY:
                    yield f"arn:aws:events:eu-west-1:{account_id}:rule/{NOBODY}"

    def _tag(self, key: str, value: Value) -> Hashable:
        """What else tells values apart: what other keys must go with, and what stands for a variable."""
        if not isinstance(value, str):
            return value
        if key == "aws:sourcearn":
            return _account(value)
        if key == "aws:principalorgpaths":
            return value.partition("/")[0]
        return value if key in self._variables or key in ("aws:sourceaccount", "aws:principalorgid") else ""


def _note(key: str, pattern: str, accounts: dict[str, None], arns: dict[str, None], services: dict[str, None]) -> None:
    """Note whom a condition on who asks names."""
    is_wild = "*" in pattern or "?" in pattern
    if key in ("aws:principalaccount", "aws:userid") and not is_wild:
        accounts[pattern] = None
    elif key == "aws:principalarn":
        for text in instances(pattern) if pattern.count(":") > 4 else ():
            account_id = _account(text)
            arns[text if account_id.isdigit() else text.replace(f":{account_id}:", f":{STRANGER}:", 1)] = None
    elif key in ("aws:principalservicename", "aws:principalservicenameslist") and not is_wild:
        services[pattern] = None


def _limits_differ(before: Holder, after: Holder) -> bool:
    limits = [holder.limits for holder in (before, after)]
    texts = [None if found is None else {content(statement) for statement in found} for found in limits]
    return texts[0] != texts[1]


def _account(arn: str) -> str:
    parts = arn.split(":")
    return parts[4] if len(parts) > 5 else ""


def _is_about(statement: Statement, action: str) -> bool:
    named = any(like(pattern.lower(), action.lower()) for pattern in statement.actions)
    return named is not statement.but_actions


def _all_of(prefix: str) -> list[str]:
    """The actions of a service, those first that are most likely not meant."""
    known = service(prefix)
    found = [f"{known.prefix}:{name}" for name in known.names] if known else []
    return sorted(found, key=lambda action: (action.lower() in ORDINARY, ":Delete" not in action))
