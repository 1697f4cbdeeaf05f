"""The data of backbone/aws/data against what is installed, and its limits against botocore's own validation."""

from __future__ import annotations

import copy
import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import pairwise
from typing import Any

import botocore.session
from botocore.validate import ParamValidator

from backbone.aws.limits import RETENTION_DAYS
from backbone.system.arguments import limits, problems, schema
from scripts import provider_schema, service_models
from tests.system.mutations import BODIES, Mutation, mutations

TRANSLATED = {
    "ecs_target.network_configuration.assign_public_ip",
    "target.ecs_parameters.network_configuration.assign_public_ip",
    "target.ecs_parameters.tags",
    "container_definitions",
    "global_secondary_index.range_key",
    "range_key",
}
"""Arguments that the provider puts otherwise: true is ENABLED, a range key comes second in the list
of keys, and containers are a text."""

NOT_SENT = {("reserved_concurrent_executions", -1)}
"""Values that are the provider's words for an absent argument."""

TAG_KEYS = {"ecs": ("key", "value"), "kms": ("TagKey", "TagValue"), "stepfunctions": ("key", "value")}
"""What the key and value of a tag are called, where they are not called Key and Value."""

LOADER = botocore.session.get_session()


@cache
def written(module: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(module.DATA.read_text())
    return found


def test_the_service_models_are_those_of_the_installed_botocore() -> None:
    """To fix it: python -m scripts.service_models, and read the diff."""
    types = {name: one for name, one in written(provider_schema).items() if name != "versions"}
    expected = {"botocore": botocore.__version__, **service_models.generate(types)}
    assert written(service_models) == expected


def test_the_arguments_of_provider_6_are_those_of_the_installed_bindings() -> None:
    """To fix it: python -m scripts.provider_schema PLUGIN_DIR, and read the diff."""
    data = written(provider_schema)
    version, bindings = provider_schema.bindings()
    assert data.pop("versions") == {"5": provider_schema.FIVE, "6": version}
    assert {name: {*_of_six(one)} for name, one in data.items()} == {
        name: {*_of_six(one)} for name, one in bindings.items()
    }


def _of_six(arguments: Mapping[str, Any], path: str = "") -> Iterator[str]:
    for name, one in arguments.items():
        if one.get("use") != "computed" and one.get("only") != 5:
            yield path + name
            yield from _of_six(one.get("block", {}), f"{path}{name}.")


def test_the_retentions_are_those_of_the_documentation() -> None:
    """The model has no enum for them, but a sentence."""
    text = LOADER.get_service_model("logs").shape_for("Days").documentation
    sentence = re.search(r"Possible values are: ([^.<]*)", text)
    assert sentence is not None
    assert tuple(map(int, re.findall(r"\d+", sentence[1]))) == RETENTION_DAYS


def test_every_type_has_an_operation_and_a_schema() -> None:
    assert {*schema.types()} == {*provider_schema.TYPES} == {*service_models.OPERATIONS}


def requests(name: str, body: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The API requests that a resource's arguments become, by operation, as far as the arguments go into them."""
    found: dict[str, dict[str, Any]] = defaultdict(dict)
    for one in schema.read(schema.types()[name], body, ()).values:
        api = limits.of(name, one.schema_path).get("api", "")
        is_block = isinstance(one.value, list) and one.value and isinstance(one.value[0], dict)
        if not api or one.schema_path in TRANSLATED or is_block or "{" in one.schema_path or "(" in api:
            continue
        value = one.value
        if limits.of(name, f"{one.schema_path}{{}}").get("api", "").lower().endswith("value"):
            key, value_key = TAG_KEYS.get(api.partition(".")[0], ("Key", "Value"))
            value = [{key: name, value_key: each} for name, each in value.items()]
        operation, places = _places(api, one.path)
        _put(found[operation], places, value)
    return found


def _places(api: str, path: str) -> tuple[str, list[str | int]]:
    """`dynamodb.CreateTable.AttributeDefinitions[].AttributeName` at `attribute[1].name`: the members and the index."""
    service, operation, *members = re.findall(r"[^.\[\]{}]+|\[\]|\{\}", api)
    indexes = [int(number) for number in re.findall(r"\[(\d+)\]", path)]
    indexes = [0] * (members.count("[]") - len(indexes)) + indexes
    return f"{service}.{operation}", [indexes.pop(0) if one == "[]" else "x" if one == "{}" else one for one in members]


def _put(request: Any, places: list[str | int], value: Any) -> None:
    for here, after in pairwise(places):
        request = _at(request, here, [] if isinstance(after, int) else {})
    _at(request, places[-1], value)


def _at(holder: Any, place: str | int, default: Any) -> Any:
    if isinstance(holder, dict):
        return holder.setdefault(place, default)
    while len(holder) <= int(place):
        holder.append(copy.deepcopy(default))
    return holder[int(place)]


def refusals(name: str, body: dict[str, Any]) -> set[str]:
    """What botocore refuses in the requests."""
    found: set[str] = set()
    for operation, request in requests(name, body).items():
        service, method = operation.split(".")
        shape = LOADER.get_service_model(service).operation_model(method).input_shape
        assert shape is not None
        found |= {line for line in ParamValidator().validate(request, shape).generate_report().split("\n") if line}
    return found


def text_and_numbers() -> Iterator[Mutation]:
    """The mutations that give an argument a text or number, as its type is."""
    for one in mutations():
        known: Any = {"block": schema.types()[one.resource_type]}
        for part in one.path:
            known = known if isinstance(part, int) else known.get("block", {}).get(part, {})
        if (known.get("type"), type(one.value)) in (("string", str), ("number", int)):
            yield one


def test_botocore_takes_the_right_bodies() -> None:
    for name, bodies in BODIES.items():
        for body in bodies:
            left = {line for line in refusals(name, body) if "Missing required parameter" not in line}
            assert left == set(), (name, left)


def test_botocore_and_this_agree() -> None:
    """botocore knows types and minima; a parameter that the provider adds by itself is missing before and after."""
    refused = 0
    for one in text_and_numbers():
        name, body = one.resource_type, one.body
        by_botocore = refusals(name, body) - refusals(name, BODIES[name][one.variant])
        refused += bool(by_botocore)
        if _is_below_minimum(one):
            assert by_botocore, one
        is_sent = (one.schema_path, one.value) not in NOT_SENT
        if by_botocore and is_sent and not (one.value == "" and limits.of(name, one.schema_path)["empty"]):
            assert any(problem.severity == "error" for problem in problems(name, body)), (one, by_botocore)
    assert refused > 100


def _is_below_minimum(one: Mutation) -> bool:
    """Whether a value is below a minimum of the service model; API Gateway's texts have theirs in the shape's name."""
    allowed = written(service_models)[one.resource_type].get(one.schema_path, {})
    if one.schema_path in TRANSLATED or ("length" in allowed and allowed["api"].startswith("apigatewayv2")):
        return False
    size = len(one.value) if "length" in allowed else one.value
    low, _ = allowed.get("length") or allowed.get("range") or (None, None)
    return low is not None and size < low
