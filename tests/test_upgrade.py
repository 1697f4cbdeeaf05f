"""What was deployed with the last release, synthesized by this version: nothing moves without being said."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from fnmatch import fnmatchcase

import pytest

from tests import released
from tests.conftest import ROOT
from tests.synthesis import Json, Stacks
from tests.test_addresses import lines

RELEASED = released.addresses()


def said(changelog: str, version: str) -> list[str]:
    """The patterns of addresses, such as `aws_iam_role.…_role…`, under "Addresses" in what is newer than a version."""
    newer = changelog.partition(f"\n## {version}")[0]
    sections = re.findall(r"^### Addresses\n(.*?)(?=^##|\Z)", newer, re.MULTILINE | re.DOTALL)
    patterns = re.findall(r"`(aws_\w+\.[^`]+)`", "".join(sections))
    return [pattern.replace("…", "*") for pattern in patterns]


def moved(stacks: Stacks) -> set[str]:
    """The addresses, after their stack's name, that `moved` blocks take resources from."""
    return {f"{name} {block['from']}" for name, stack in stacks.items() for block in stack.get("moved", ())}


def unexplained(before: Iterable[str], stacks: Stacks, patterns: Iterable[str]) -> list[str]:
    """The lines of what was deployed that are not there any more, though nothing says so."""
    there, away, known = {*lines(stacks)}, moved(stacks), [*patterns]
    gone = [line for line in before if line not in there]
    gone = [line for line in gone if " ".join(line.split()[:2]) not in away]
    return [line for line in gone if not any(fnmatchcase(line.split()[1], pattern) for pattern in known)]


@pytest.mark.parametrize("name", RELEASED)
def test_what_was_deployed_stays_or_its_end_is_in_the_changelog(
    name: str, synthesized: Callable[[str], Stacks]
) -> None:
    assert len(RELEASED[name]) > 50
    patterns = said((ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), released.version())
    assert unexplained(RELEASED[name], synthesized(name), patterns) == []


def test_every_entry_of_the_changelog_is_about_something() -> None:
    known = {line.split()[1] for each in RELEASED.values() for line in each}
    for pattern in said((ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), released.version()):
        assert any(fnmatchcase(address, pattern) for address in known), pattern


def test_states_are_where_they_were(synthesized: Callable[[str], Stacks]) -> None:
    before, now = released.stacks(), synthesized(released.LAYOUT)
    assert {name: one["terraform"]["backend"] for name, one in before.items()} == {
        name: one["terraform"]["backend"] for name, one in now.items()
    }


QUEUE: Json = {"name": "shop-a", "//": {"metadata": {"path": "bus/a"}}, "provider": "aws.bus"}
CHANGELOG = """
## Unreleased
### Addresses
- `aws_sqs_queue.…_old` goes.
### Fixed
- `aws_sqs_queue.c`.
## 1.2.3
### Addresses
- `aws_sqs_queue.d` went.
"""


@pytest.mark.parametrize(
    ("line", "blocks", "fine"),
    [
        ("bus aws_sqs_queue.a name=shop-a", [], True),
        ("bus aws_sqs_queue.a name=shop-b", [], False),
        ("order aws_sqs_queue.a name=shop-a", [], False),
        ("bus aws_sqs_queue.b name=shop-a", [], False),
        ("bus aws_sqs_queue.b name=shop-a", [{"from": "aws_sqs_queue.b", "to": "aws_sqs_queue.a"}], True),
        ("order aws_sqs_queue.b name=shop-a", [{"from": "aws_sqs_queue.b", "to": "aws_sqs_queue.a"}], False),
        ("bus aws_sqs_queue.very_old name=shop-x", [], True),
        ("bus aws_sqs_queue.c name=shop-c", [], False),  # not under the heading
        ("bus aws_sqs_queue.d name=shop-d", [], False),  # that was said of an earlier version
    ],
)
def test_what_counts_as_said(line: str, blocks: list[Json], fine: bool) -> None:
    stacks: Stacks = {"bus": {"resource": {"aws_sqs_queue": {"a": QUEUE}}, "moved": blocks}}
    assert unexplained([line], stacks, said(CHANGELOG, "1.2.3")) == ([] if fine else [line])
