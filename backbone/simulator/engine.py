"""What the simulated services share: the clock, ids, faults, the trace, and the way from one service to another.

One thread runs everything in the order of the clock. Each service registers what it takes from the others, so that
none imports another.
"""

from __future__ import annotations

import heapq
import json
import random
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol, TypeVar
from urllib.parse import urlsplit

from backbone.errors import BackboneError
from backbone.simulator.api import error
from backbone.simulator.faults import Fault, Kind
from backbone.simulator.processes import Call, Outcome, Reply
from backbone.system import access
from backbone.system.iam import Identity
from backbone.system.model import Function, Queue, Resource, System, Target
from backbone.trace import Node, NodeKind, Trace

__all__ = ["Deliver", "Engine", "Event", "Request", "SimulatorError"]

BEGIN = datetime(2024, 1, 1, tzinfo=UTC).timestamp()
"""The time on the simulator's clock when it is made."""

MAX_CHAIN = 100
"""Events that may cause each other, one after the other; EventBridge itself would not stop them."""

Event = dict[str, Any]
Action = Callable[[], None]
Found = TypeVar("Found", bound=Resource)


class SimulatorError(BackboneError):
    """Something was asked of the simulator that it cannot do."""


@dataclass(slots=True)
class Request:
    """What a rule sends to a target: the event as it is forwarded, and the input that the target is given."""

    target: Target
    event: Event
    input: str
    hops: int
    """How often the event was forwarded from bus to bus."""

    @property
    def value(self) -> Any:
        """The input read as JSON; the text itself when it is not JSON, as lines of text are not."""
        try:
            return json.loads(self.input)
        except ValueError:
            return self.input


Deliver = Callable[[Any, Request, Node], None]
"""Takes what a rule sends to a resource; what follows from it goes below the node."""

Answer = Callable[[Identity, Call], Reply]
"""Answers an AWS API call of an identity."""


class Send(Protocol):
    """Puts a message into a queue; what follows from it goes below the node."""

    def __call__(
        self, queue: Queue, body: str, attributes: dict[str, str], node: Node | None, *, hops: int = 0
    ) -> object:
        """Send it. `hops` says how often the event in it was forwarded."""


class WriteLog(Protocol):
    """Writes a text into a log group of an account, if there is such a group."""

    def __call__(self, account_id: str, name: str, text: str) -> None:
        """Write it."""


class Invoke(Protocol):
    """Runs a function now and returns how that ended."""

    def __call__(self, function: Function, event: Any, node: Node | None) -> Outcome:
        """Invoke it."""


class Engine:
    """The clock and the trace of one simulation, and the services that take part in it."""

    def __init__(self, system: System, *, seed: int, faults: Iterable[Fault]) -> None:
        self.system = system
        self.faults = list(faults)
        self.now = 0.0
        self.random = random.Random(seed)  # noqa: S311 - repeats, on purpose
        self.roots: list[Node] = []
        self.on_node: Callable[[Node], None] | None = None
        self.deliveries: dict[type[Resource], tuple[str, Deliver]] = {}
        """How each kind of target takes an event, with the word for it in the trace."""
        self.apis: dict[str, Answer] = {}
        """Who answers calls of each AWS API, by what stands before the dot in `X-Amz-Target`."""
        self.organization = access.organization(system)
        self.send: Send
        self.write_log: WriteLog
        self.invoke: Invoke
        self._due: list[tuple[float, int, Action]] = []
        self._order = 0
        self._current: Node | None = None

    # Time

    def at(self, seconds: float, action: Action) -> None:
        """Do something when so many seconds have passed from now."""
        self._order += 1
        heapq.heappush(self._due, (self.now + seconds, self._order, action))

    def run(self, *, at_most: float = float("inf")) -> None:
        """Let everything happen that is due, at most so many seconds from now."""
        end = self.now + at_most
        while self._due and self._due[0][0] <= end:
            due, _, action = heapq.heappop(self._due)
            self.now = max(self.now, due)
            action()
        if at_most != float("inf"):
            self.now = end

    @property
    def timestamp(self) -> float:
        """The time on the clock, in seconds since 1970."""
        return BEGIN + self.now

    def iso_time(self, now: float | None = None) -> str:
        """The time on the clock, or when it showed `now`, as events have it: UTC, in whole seconds."""
        moment = datetime.fromtimestamp(BEGIN + (self.now if now is None else now), UTC)
        return moment.strftime("%Y-%m-%dT%H:%M:%SZ")

    # The trace

    def node(
        self, kind: NodeKind, place: str, account: str, words: str = "", parent: Node | None = None, **data: Any
    ) -> Node:
        """Note that something happened, under what it follows from."""
        node = Node(kind, self.now, place, account, words, data)
        parent = parent or self._current
        (self.roots if parent is None else parent.children).append(node)
        node.depth = (parent.depth if parent else 0) + (kind == "put")
        if node.depth > MAX_CHAIN:
            raise SimulatorError(
                f"{node.place}: {words} is the {node.depth}th event in a chain in which each causes the next: they "
                "would go on without end; have a function not answer what follows from its own events"
            )
        if self.on_node is not None:
            self.on_node(node)
        return node

    @contextmanager
    def below(self, node: Node) -> Iterator[None]:
        """While this holds, what happens without a node of its own goes below the node."""
        before, self._current = self._current, node
        try:
            yield
        finally:
            self._current = before

    def trace(self) -> Trace:
        """All that happened."""
        return Trace(self.roots)

    # Ids and faults

    def new_id(self) -> str:
        """An id that is the same in the next run with the same seed."""
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))

    def strikes(self, kinds: tuple[Kind, ...], *names: str) -> Fault | None:
        """The first fault of some kinds that strikes something of these names now; it uses up one of its times."""
        if not self.faults:
            return None
        return next((fault for fault in self.faults if fault.strikes(kinds, names, self.now)), None)

    # From service to service

    def take(self, kind: type[Resource], word: str, deliver: Deliver) -> None:
        """Have a service take what rules send to a kind of resource."""
        self.deliveries[kind] = word, deliver

    def answer(self, api: str, answer: Answer) -> None:
        """Have a service answer the calls of an AWS API."""
        self.apis[api] = answer

    def states(self, kind: type[Found], state: Callable[[], Any]) -> dict[str, Any]:
        """A state for each resource of a kind, by ARN."""
        return {resource.arn: state() for resource in self.system.of(kind)}

    def by_name(self, kind: type[Found], states: Mapping[str, Any]) -> dict[str, Any]:
        """The states of resources by name; where two accounts use a name, by `ACCOUNT:NAME`."""
        resources = self.system.of(kind)
        names = [resource.name for resource in resources]
        return {
            resource.name if names.count(resource.name) == 1 else f"{resource.account}:{resource.name}": states[
                resource.arn
            ]
            for resource in resources
        }

    @property
    def context(self) -> dict[str, str]:
        """The condition keys of every request that do not follow from who makes it."""
        return {"aws:PrincipalOrgID": self.organization} if self.organization else {}

    def call(self, who: Identity, call: Call) -> Reply:
        """What AWS answers an API call of an identity."""
        api, _, operation = call.target.partition(".")
        if api in self.apis:
            return self.apis[api](who, call)
        host = urlsplit(call.url).netloc
        self.node("refused", host, who.account_id, f"{operation or call.method} is not simulated")
        return error("NotSimulated", f"{operation or call.method} of {host} is not simulated", 501)
