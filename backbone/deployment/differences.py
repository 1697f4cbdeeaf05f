"""What differs between two states of a system for events, in words: of a plan's, or of any others."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence

from backbone.deployment.dangers import Danger, danger
from backbone.deployment.flows import Flows, Publishing, Receiving, Renaming, flows_of, owner
from backbone.deployment.universe import Event, Universe
from backbone.manifest import Manifest
from backbone.system.model import System
from backbone.system.plan import Change

__all__ = ["VERBS", "Difference", "publishing_words", "receiving_words", "without_accounts", "words_of"]

VERBS = {
    "create": "creates",
    "update": "updates",
    "replace": "replaces",
    "delete": "deletes",
    "forget": "forgets",
    "import": "imports",
    "move": "moves",
}


class Difference:
    """The flows that end and begin.

    `names` are those that resources of the earlier state have in the later; `declared` what was and is declared.
    """

    def __init__(
        self,
        before: System,
        after: System,
        names: Renaming,
        declared: tuple[Manifest | None, Manifest | None] = (None, None),
    ) -> None:
        meant = {*map(names.of, _declared(declared[0])), *_declared(declared[1])}
        self._universe = Universe(before, after, declared=meant)
        earlier, later = (
            flows_of(before, self._universe, declared[0]).renamed(names),
            flows_of(after, self._universe, declared[1]),
        )
        self._published = earlier.by_functions | later.by_functions | meant
        self.before, self.after = earlier.without_guesses(self._published), later.without_guesses(self._published)
        self.unpublished = without_accounts(self.before.publishing - self.after.publishing)
        self.published = without_accounts(self.after.publishing - self.before.publishing)
        self.unreceived = self.before.receiving - self.after.receiving
        self.received = self.after.receiving - self.before.receiving

    def between(self, system: System) -> Flows:
        """The flows of a state in between."""
        return flows_of(system, self._universe).without_guesses(self._published)

    def dangers(self) -> Iterator[Danger]:
        """What ends, by whom it ends for."""
        for who, words in self.ends():
            yield danger("receiving-ends" if " receiving " in words else "publishing-ends", who, words)

    def ends(self) -> Iterator[tuple[str, str]]:
        """Who stops what, in words."""
        yield from receiving_words("stops", self.unreceived, self.after.receiving)
        yield from publishing_words("may no longer", self.unpublished, self.after.publishing)

    def begins(self) -> Iterator[tuple[str, str]]:
        """Who starts what, in words."""
        yield from receiving_words("starts", self.received, self.before.receiving)
        yield from publishing_words("may now", self.published, self.before.publishing)


def _declared(known: Manifest | None) -> Iterator[Event]:
    """What services are declared to publish."""
    if known is not None:
        for service in known.services.values():
            for detail_type, source in service.events:
                yield Event(known.accounts[service.account], source, detail_type)


def without_accounts(found: frozenset[Publishing]) -> set[Publishing]:
    """What functions publish, and of accounts only what none of their functions does."""
    by_functions = {publishing.event for publishing in found if publishing.function}
    return {publishing for publishing in found if publishing.function or publishing.event not in by_functions}


def receiving_words(
    verb: str, found: Collection[Receiving], others: Collection[Receiving]
) -> Iterator[tuple[str, str]]:
    """Sentences about who starts or stops receiving; where the same gets there another way, they say by which."""
    remaining = {(one.service, one.event.source, one.event.detail_type) for one in others}
    sources: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    for one in found:
        still = (one.service, one.event.source, one.event.detail_type) in remaining
        way = f" at {one.name} by {one.rule.rpartition('/')[2]}" if still else ""
        sources[one.service, one.event.detail_type, way].add(one.event.source)
    for (service, detail_type, way), names in sorted(sources.items()):
        yield service, f"{service} {verb} receiving {detail_type} from {', '.join(sorted(names))}{way}"


def publishing_words(
    verb: str, found: Collection[Publishing], others: Collection[Publishing]
) -> Iterator[tuple[str, str]]:
    """Sentences about who may publish what; where somebody may do so another way, they say by which function."""
    remaining = {(one.by, one.event.source, one.event.detail_type) for one in others}
    sentences = set()
    for one in found:
        still = (one.by, one.event.source, one.event.detail_type) in remaining
        way = f" by {one.function}" if still else ""
        words = f"{one.by} {verb} publish {one.event.detail_type} as {one.event.source}{way}"
        sentences.add((one.by.removeprefix("the "), words))
    yield from sorted(sentences)


def words_of(flows: Difference, changes: Sequence[Change]) -> dict[str, list[str]]:
    """What changes, by service: first what becomes of events, then the code, then how many resources."""
    found: dict[str, list[str]] = defaultdict(list)
    for who, words in (*flows.ends(), *flows.begins()):
        found[who].append(words)
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for change in changes:
        who = owner(change.id)
        counts[who][change.action] += 1
        if change.type == "aws_lambda_function" and change.action == "update" and change.differs("source_code_hash"):
            found[who].append(f"{change.before.get('function_name')} gets new code")
    for who, each in counts.items():
        found[who].append(", ".join(f"{VERBS[action]} {count}" for action, count in sorted(each.items())))
    return dict(sorted(found.items()))
