"""Two synthesized folders compared, before there is any plan: what differs for events, and which resources do.

The folders may be of two revisions of a project, or of two of its environments. Environments differ in accounts, region
and name as a matter of course, so that what differs in nothing else counts as the same.
"""

from __future__ import annotations

import json
import operator
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from backbone import manifest
from backbone.deployment.differences import Difference, words_of
from backbone.deployment.flows import Renaming, owner
from backbone.manifest import ManifestSubscription
from backbone.system import terraform
from backbone.system.plan import Change
from backbone.system.reader import reading_of
from backbone.system.terraform import Block

__all__ = ["Comparison", "compare"]

Json = dict[str, Any]
Same = Callable[[Any, Any], bool]
FUNCTION = "aws_lambda_function"
LEFT_OUT = ("//", "depends_on")
"""What the JSON says of a resource, and AWS never sees."""


@dataclass(frozen=True)
class Comparison:
    """What differs: words by service, resources that come, go or change, and what else does, by stack or account."""

    words: Mapping[str, list[str]]
    changes: tuple[Change, ...]

    @property
    def is_empty(self) -> bool:
        """Whether nothing differs."""
        return not self.words and not self.changes

    @cached_property
    def counts(self) -> Mapping[str, int]:
        """How many resources come, go and change."""
        return Counter(change.action for change in self.changes)

    def as_json(self) -> Json:
        """The comparison as JSON values; of a resource that changes with its arguments before and after."""
        return {
            "counts": dict(self.counts),
            "services": dict(self.words),
            "changes": [
                {
                    "action": change.action,
                    "stack": change.stack,
                    "resource": change.address,
                    "service": owner(change.id),
                    "arguments": {
                        name: {"before": change.before.get(name), "after": change.after.get(name)}
                        for name in arguments(change)
                    },
                }
                for change in self.changes
            ],
        }


def arguments(change: Change) -> list[str]:
    """The arguments in which a resource that stays differs."""
    if change.action != "update":
        return []
    return sorted(name for name in {**change.before, **change.after} if change.differs(name))


def compare(before: Path, after: Path) -> Comparison:
    """Compare two folders; TerraformError or ManifestError when one cannot be read."""
    earlier, later = _Side(before), _Side(after)
    alike = None not in (earlier.manifest, later.manifest) and earlier.environment != later.environment
    same: Same = partial(_is_same, earlier=earlier, later=later) if alike else operator.eq
    pairs = dict(_pairs(earlier, later))
    found = {name: later.blocks[other] for name, other in pairs.items()}
    names = Renaming(
        ids=pairs,
        accounts={number: later.accounts[name] for name, number in earlier.accounts.items() if name in later.accounts},
        functions={
            earlier.function(block): later.function(found[block.id])
            for block in earlier.blocks.values()
            if block.type == FUNCTION and block.id in found
        },
    )
    changes: list[Change] = []
    for block in earlier.blocks.values():
        changes += _change(block, found[block.id], same, alike) if block.id in found else [_gone(block)]
    changes += [_new(block) for block in later.blocks.values() if block.id not in {*pairs.values()}]
    flows = Difference(earlier.system, later.system, names, (earlier.manifest, later.manifest))
    words = words_of(flows, changes)
    others = (
        *_filters(earlier, later),
        *_providers(earlier, later, same),
        *(() if alike else _backends(earlier, later)),
    )
    for who, text in others:
        words.setdefault(who, []).append(text)
    ordered = sorted(changes, key=lambda change: (change.stack, change.address))
    return Comparison(dict(sorted(words.items())), tuple(ordered))


class _Side:
    """What was synthesized into a folder."""

    def __init__(self, folder: Path) -> None:
        self.configuration = terraform.load(folder)
        self.system = reading_of(self.configuration, folder).system
        self.manifest = manifest.read(folder) if (folder / manifest.FILE_NAME).exists() else None
        self.blocks = {block.id: block for block in self.configuration}
        self.accounts = {name: place.account_id for name, place in self.system.accounts.items()}
        self.providers = {provider.alias: provider for provider in self.configuration.providers}

    @property
    def environment(self) -> str | None:
        return self.manifest.environment if self.manifest else None

    def function(self, block: Block) -> str:
        return str(self.configuration.value(block, "function_name"))

    def neutral(self, text: str) -> str:
        """A text as all environments have it: without the name, the region and the account ids of this one."""
        return self._own.sub(lambda found: f"<{self._called[found[0]]}>", text)

    @cached_property
    def _called(self) -> dict[str, str]:
        known = self.manifest
        named = (
            {known.backbone: "name", f"backbone-{known.backbone}": "session", known.region: "region"} if known else {}
        )
        return named | {number: name for name, number in self.accounts.items()}

    @cached_property
    def _own(self) -> re.Pattern[str]:
        """Names begin with the backbone's, and those of roles end with the region."""
        numbers = "|".join(sorted(self.accounts.values()))
        named = (self.manifest.region, self.manifest.backbone) if self.manifest else ("", "")
        region, name = map(re.escape, named)
        return re.compile(
            rf"(?<![0-9])(?:{numbers})(?![0-9])"
            rf"|(?<![A-Za-z0-9]){region}(?![A-Za-z0-9-])"
            rf"|(?<![A-Za-z0-9-])(?:backbone-)?{name}(?![A-Za-z0-9])"
        )


def _is_same(one: Any, other: Any, *, earlier: _Side, later: _Side) -> bool:
    """Whether values differ only in what is each environment's own. Texts in a list may be in another order."""
    if isinstance(one, dict) and isinstance(other, dict):
        same = partial(_is_same, earlier=earlier, later=later)
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        if all(isinstance(part, str) for part in (*one, *other)):
            return sorted(map(earlier.neutral, one)) == sorted(map(later.neutral, other))
        same = partial(_is_same, earlier=earlier, later=later)
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, str) and isinstance(other, str):
        return one == other or earlier.neutral(one) == later.neutral(other)
    return bool(one == other)


def _pairs(earlier: _Side, later: _Side) -> Iterator[tuple[str, str]]:
    """The resources that are in both, by id: an address is the same in both layouts, and so in another stack."""
    by_address = {block.address: block for block in later.blocks.values()}
    for block in earlier.blocks.values():
        other = later.blocks.get(block.id) or by_address.get(block.address)
        if other is not None:
            yield block.id, other.id


def _change(block: Block, other: Block, same: Same, alike: bool) -> Iterator[Change]:
    """What changes about a resource that is in both."""
    before, after = _body(block), _body(other)
    for name in before.keys() & after.keys():
        if same(before[name], after[name]):
            before[name] = after[name]
    if before != after:
        yield Change(other.stack, other.address, "update", before, after, {}, other.place)
    elif block.stack != other.stack and not alike:
        yield Change(other.stack, other.address, "move", before, after, {}, other.place)


def _new(block: Block) -> Change:
    return Change(block.stack, block.address, "create", {}, _body(block), {}, block.place)


def _gone(block: Block) -> Change:
    return Change(block.stack, block.address, "delete", _body(block), {}, {}, block.place)


def _body(block: Block) -> Json:
    return {name: _read(value) for name, value in block.body.items() if name not in LEFT_OUT}


def _read(value: Any) -> Any:
    """A value with what JSON texts in it say: the order of a policy's keys is no change."""
    if isinstance(value, dict):
        return {key: _read(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_read(part) for part in value]
    if isinstance(value, str) and value[:1] in ("{", "["):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def _filters(earlier: _Side, later: _Side) -> Iterator[tuple[str, str]]:
    """Subscriptions of services without a module to the same events, of another detail: no rule here shows them."""
    if earlier.manifest is None or later.manifest is None:
        return
    for name, service in earlier.manifest.services.items():
        other = later.manifest.services.get(name)
        if other is None or other.module is not None:
            continue
        before, after = ({_named(each): each.detail for each in one.subscribes} for one in (service, other))
        for what in before.keys() & after.keys():
            if before[what] != after[what]:
                detail = f"where the detail matches {json.dumps(after[what])}" if after[what] else "of any detail"
                yield name, f"{name} receives {what} {detail}"


def _named(entry: ManifestSubscription) -> str:
    """What a subscription is to, in words."""
    sources = entry.source if isinstance(entry.source, tuple) else (entry.source,) if entry.source else ()
    names = " or ".join(f"{one['prefix']}*" if isinstance(one, dict) else one for one in sources)
    return f"{entry.detail_type or 'every event'}{f' from {names}' if names else ''}"


def _providers(earlier: _Side, later: _Side, same: Same) -> Iterator[tuple[str, str]]:
    """How Terraform gets into accounts that are in both, and the tags of everything there."""
    for alias, provider in earlier.providers.items():
        other = later.providers.get(alias)
        if other is None:
            continue
        before, after = provider.body, other.body
        names = {name for name in {**before, **after} if before.get(name) != after.get(name)}
        changed = sorted(name for name in names if not same(before.get(name), after.get(name)))
        if changed:
            yield f"account {alias}", f"the provider changes: {', '.join(changed)}"


def _backends(earlier: _Side, later: _Side) -> Iterator[tuple[str, str]]:
    """Stacks that keep their states elsewhere."""
    for stack, settings in earlier.configuration.settings.items():
        other = later.configuration.settings.get(stack)
        if other is not None and any(settings.get(key) != other.get(key) for key in ("backend", "cloud")):
            yield f"stack {stack}", "the state is kept elsewhere"
