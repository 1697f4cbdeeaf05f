"""What Terraform and AWS would take: of the examples all, of their edits what they allow."""

from __future__ import annotations

import copy
import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

import backbone.aws
from backbone.aws import limits as aws_limits
from backbone.system.arguments import OF_TYPES, known, limits, majors, problems, rules, schema
from tests.conftest import EXAMPLES
from tests.synthesis import Stacks, resources
from tests.system.mutations import BODIES, mutations
from tests.system.verdicts import verdicts

DATA = Path(backbone.aws.__file__).parent / "data"
CASES = yaml.safe_load(Path(__file__).with_name("arguments.yaml").read_text())

RETRY, INVOKE = "retry_policy", "aws_lambda_function_event_invoke_config"

UNJUDGED = {
    "policy": "policies are read strictly by backbone.system.iam",
    "policy_document": "policies are read strictly by backbone.system.iam",
    "assume_role_policy": "policies are read strictly by backbone.system.iam",
    "delivery_destination_policy": "policies are read strictly by backbone.system.iam",
    "event_pattern": "patterns are read by backbone.patterns",
    "task_count": "the provider counts in 32 bits",
    "field_delimiter": "the provider counts bytes, AWS characters",
}
"""Arguments whose value Terraform refuses more often than is told here, and why."""


def errors(resource_type: str, body: dict[str, Any]) -> list[str]:
    return [str(one) for one in problems(resource_type, body) if one.severity == "error"]


def edited(body: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    for path, value in changes.items():
        parts = tuple(int(part) if part.isdecimal() else part for part in path.split("."))
        body = edited_at(body, parts, {"TABLE": "x" * 5000} if value == {"TABLE": "LONG"} else value)
    return body


def edited_at(body: Any, path: tuple[str | int, ...], value: Any) -> Any:
    if not path:
        return value
    found = copy.copy(body)
    found[path[0]] = edited_at(body[path[0]] if len(path) > 1 else None, path[1:], value)
    return found


def _places(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    if path:
        yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        yield from _places(one, (*path, key))


def cases() -> Iterator[Any]:
    for name, listed in CASES.items():
        for case in listed:
            body = edited(BODIES[name][case.get("of", 0)], case["set"])
            yield pytest.param(name, body, case["says"], id=f"{name}-{'-'.join(case['set'])}")


@pytest.mark.parametrize("example", EXAMPLES)
def test_what_is_synthesized_is_right(example: str, synthesized: Callable[[str], Stacks]) -> None:
    stacks = synthesized(example)
    assert {one.kind for one in resources(stacks)} <= {*schema.types()}
    for one in resources(stacks):
        constraint = stacks[one.stack]["terraform"]["required_providers"]["aws"]["version"]
        assert problems(one.kind, one.body, providers=majors(constraint)) == [], one.address


@pytest.mark.parametrize("name", schema.types())
def test_right_bodies_of_every_type_are_right(name: str) -> None:
    assert BODIES[name]
    for body in BODIES[name]:
        assert [one for one in problems(name, body) if one.severity != "note"] == []


@pytest.mark.parametrize(("name", "body", "says"), list(cases()))
def test_a_wrong_edit_says_what_is_allowed(name: str, body: dict[str, Any], says: str) -> None:
    found = [str(one) for one in problems(name, body) if one.severity != "note"]
    assert any(one.startswith(says) or says in one for one in found), found


def test_every_rule_and_fact_has_a_case_that_breaks_it() -> None:
    bodies = defaultdict(list)
    for case in cases():
        name, body, _ = case.values
        bodies[name].append(schema.read(schema.types()[name], body, ()).body)
    for name in schema.types():
        for rule in limits.rules_of(name):
            assert any([*rules.problems([rule], body)] for body in bodies[name]), (name, rule)
        for fact in (fact for facts in OF_TYPES for fact in facts.get(name, ())):
            assert any([*fact(body)] for body in bodies[name]), (name, fact)


def test_terraform_and_this_agree() -> None:
    """What `terraform validate` refuses is refused here, and what is wrong by the schema alone it refuses."""
    recorded = {(name, place): iter(one) for name, places in verdicts().items() for place, one in places.items()}
    for mutation in mutations():
        is_refused = next(recorded[mutation.resource_type, mutation.place]) == "x"
        reading = schema.read(schema.types()[mutation.resource_type], mutation.body, ())
        by_schema = [one for one in reading.problems if one.severity == "error"]
        if is_refused and mutation.path[-1] not in UNJUDGED:
            assert errors(mutation.resource_type, mutation.body), mutation
        if by_schema and mutation.value != [None]:  # refused by a plan only
            assert is_refused, (mutation, by_schema)
    assert all(next(left, None) is None for left in recorded.values())


def limited() -> Iterator[tuple[str, str]]:
    """Every argument that is limited in some way, by type and path."""
    for name in schema.types():
        written = {path for file in ("service_models", "argument_limits") for path in _paths(file, name)}
        yield from ((name, path) for path in sorted(written | known(name)))


def _paths(file: str, name: str) -> set[str]:
    found = json.loads((DATA / f"{file}.json").read_text()).get(name, {})
    return {*(found.get("limits", {}) if file == "argument_limits" else found)}


@pytest.mark.parametrize("name", schema.types())
def test_every_limit_refuses_what_is_just_out_of_it_and_takes_the_rest(name: str) -> None:
    for path in (path for of, path in limited() if of == name):
        for wrong in _wrong(name, path):
            assert any("allowed: " in one for one in _told(name, path, wrong)), (path, wrong)
        for right in _right(name, path):
            assert limits.breach(right, limits.of(name, path)) is None, (path, right)


def _told(name: str, path: str, value: Any) -> list[str]:
    """The errors at a path of a body that has nothing but a value there."""
    place = re.split(r"\[|{", path)[0]
    return [
        str(one) for one in problems(name, _body(path, value)) if one.path.startswith(place) and one.severity == "error"
    ]


def _body(path: str, value: Any) -> dict[str, Any]:
    name, _, rest = path.partition(".")
    if rest:
        return {name: _body(rest, value)}
    if name.endswith("{key}"):
        return {name[:-5]: {value: "1"}}
    if name.endswith("{}"):
        return {name[:-2]: {"key": value}}
    return {name[:-2]: [value]} if name.endswith("[]") else {name: value}


def _wrong(name: str, path: str) -> list[Any]:
    """A value for each way to break the limits of a path."""
    allowed = limits.of(name, path)
    found: list[Any] = [
        {"pattern": "\0:* \n", "enum": "no such value", "whole": 1.5, "json": "{"}[one]
        for one in {*allowed} & {"pattern", "enum", "whole", "json"}
    ]
    if "range" in allowed:
        low, high = allowed["range"]
        found += [end for end in (low is not None and low - 1, high is not None and high + 1) if end is not False]
    if "length" in allowed:
        low, high = allowed["length"]
        found += ["a" * (low - 1)] if low and not (low == 1 and allowed["empty"]) else []
        found += ["a" * (high + 1)] if high is not None else []
    if "items" in allowed and allowed["items"][1] is not None:
        found.append(_entries(name, path, allowed["items"][1] + 1))
    return found


def _right(name: str, path: str) -> list[Any]:
    """The ends of what is allowed, where it can be said without knowing more of the argument."""
    allowed = limits.of(name, path)
    if {"pattern", "json", "items"} & {*allowed}:
        return []
    low, high = allowed.get("range") or allowed.get("length") or (None, None)
    ends = [end for end in (low, high) if end is not None and (end or "range" in allowed)]
    if "enum" in allowed:
        return list(allowed["enum"])
    return ends if "range" in allowed else ["a" * end for end in ends]


def _entries(name: str, path: str, size: int) -> Any:
    one: Any = {"block": schema.types()[name]}
    for part in path.split("."):
        one = one["block"][part]
    if "block" in one:
        return [{}] * size
    texts = [f"x{number}" for number in range(size)]
    return texts if one["type"][0] != "map" else dict.fromkeys(texts, "1")


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.just("1e999")
    | st.text(max_size=8)
    | st.sampled_from(["${a.b.c}", "{}"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
PLACES = [
    (name, variant, path)
    for name, bodies in BODIES.items()
    for variant, body in enumerate(bodies)
    for path in _places(body)
]


@given(st.sampled_from(PLACES), JSON)
@settings(max_examples=1000)
def test_any_json_is_judged_without_a_traceback(place: tuple[str, int, tuple[str | int, ...]], value: Any) -> None:
    name, variant, path = place
    found = problems(name, edited_at(BODIES[name][variant], path, value), providers=(5, 6))
    assert all(one.message and one.severity in ("error", "warning", "note") for one in found)


def test_null_and_expressions_are_not_judged() -> None:
    body = BODIES["aws_sqs_queue"][0]
    assert errors("aws_sqs_queue", body | {"delay_seconds": None, "name": "${var.name}", "tags": "${var.tags}"}) == []
    assert errors("aws_sqs_queue", body | {"name": "a$${b}"}) == [
        'name: got "a$${b}"; allowed: A-Z a-z 0-9 _ -, with .fifo at the end of a FIFO queue\'s'
    ]
    assert errors("aws_sqs_queue", body | {"tags": {"a": "${var.a}", "b": [1]}}) == [
        'tags["b"]: got a list; allowed: text'
    ]
    blocks = {"dynamic": {"environment": {"for_each": "${var.a}", "content": {"variables": {}}}}}
    assert errors("aws_lambda_function", BODIES["aws_lambda_function"][0] | blocks) == []


def test_an_argument_of_one_provider_only_is_told_by_the_versions_that_the_stack_allows() -> None:
    body = BODIES["aws_cloudwatch_event_bus"][0] | {"log_config": {"level": "INFO"}}
    told = {
        allowed: [(one.severity, str(one)) for one in problems("aws_cloudwatch_event_bus", body, providers=allowed)]
        for allowed in ((), (6,), (5, 6), (5,))
    }
    message = "log_config: AWS provider 5 has no such argument; require version 6 of the provider"
    assert told == {(): [], (6,): [], (5, 6): [("warning", message)], (5,): [("error", message)]}


@pytest.mark.parametrize(
    ("constraint", "allowed"),
    [
        (">= 5.100.0, < 7.0.0", {5, 6}),
        (">= 6.6.0, < 7.0.0", {6}),
        ("~> 5.100", {5}),
        ("~> 5.100.0", {5}),
        ("~> 6", {6}),
        ("6.25.0", {6}),
        ("= 5.100.0", {5}),
        ("> 5.100.0, != 6.0.0, <= 6.25.0", {5, 6}),
        ("< 5.0.0", set()),
        ("", {5, 6}),
    ],
)
def test_majors(constraint: str, allowed: set[int]) -> None:
    assert majors(constraint) == allowed


def test_a_type_that_is_not_known_is_a_note() -> None:
    (one,) = problems("aws_s3_object", {"bucket": "b"})
    assert (one.severity, one.path) == ("note", "")
    assert str(one) == "the arguments of aws_s3_object are not known here and not checked"
    assert known("aws_s3_object") == frozenset()


def test_known_arguments() -> None:
    assert {"name", "dead_letter_config", "dead_letter_config.arn", "log_config.level"} <= known(
        "aws_cloudwatch_event_bus"
    )
    assert not {"arn", "id", "depends_on", "provider"} & known("aws_cloudwatch_event_bus")
    assert "s3_delivery_configuration.suffix_path" in known("aws_cloudwatch_log_delivery")


NUMBERS = {
    ("aws_cloudwatch_event_archive", "name", "length"): aws_limits.ARCHIVE_NAME_CHARACTERS,
    ("aws_cloudwatch_event_bus", "name", "length"): aws_limits.BUS_NAME_CHARACTERS,
    ("aws_cloudwatch_event_rule", "name", "length"): aws_limits.RULE_NAME_CHARACTERS,
    ("aws_cloudwatch_event_rule", "tags{key}", "length"): aws_limits.TAG_KEY_CHARACTERS,
    ("aws_cloudwatch_event_rule", "tags{}", "length"): aws_limits.TAG_VALUE_CHARACTERS,
    ("aws_cloudwatch_event_target", "input", "length"): aws_limits.TARGET_INPUT_CHARACTERS,
    ("aws_cloudwatch_event_target", "input_path", "length"): aws_limits.TARGET_PATH_CHARACTERS,
    ("aws_cloudwatch_event_target", "input_transformer.input_paths", "items"): aws_limits.TARGET_PATHS,
    ("aws_cloudwatch_event_target", f"{RETRY}.maximum_event_age_in_seconds", "range"): aws_limits.RETRY_MAX_AGE_SECONDS,
    ("aws_cloudwatch_event_target", f"{RETRY}.maximum_retry_attempts", "range"): aws_limits.RETRY_MAX_ATTEMPTS,
    ("aws_cloudwatch_log_delivery_source", "name", "length"): aws_limits.LOG_DELIVERY_NAME_CHARACTERS,
    ("aws_cloudwatch_log_delivery_destination", "name", "length"): aws_limits.LOG_DELIVERY_NAME_CHARACTERS,
    ("aws_iam_role", "name", "length"): aws_limits.ROLE_NAME_CHARACTERS,
    (INVOKE, "maximum_event_age_in_seconds", "range"): aws_limits.ASYNC_MAX_AGE_SECONDS,
    (INVOKE, "maximum_retry_attempts", "range"): aws_limits.ASYNC_MAX_RETRY_ATTEMPTS,
    ("aws_sqs_queue", "message_retention_seconds", "range"): aws_limits.QUEUE_RETENTION_SECONDS,
    ("aws_sqs_queue", "name", "length"): aws_limits.QUEUE_NAME_CHARACTERS,
}


def test_the_numbers_of_aws_limits_are_these() -> None:
    assert {key: limits.of(key[0], key[1])[key[2]][1] for key in NUMBERS} == NUMBERS
    assert limits.of("aws_cloudwatch_log_group", "retention_in_days")["enum"] == [0, *aws_limits.RETENTION_DAYS]
    function, longest = limits.of("aws_lambda_function", "function_name"), aws_limits.FUNCTION_NAME_CHARACTERS
    assert [limits.breach("f" * size, function) is None for size in (longest, longest + 1)] == [True, False]
