from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from backbone.topology import Topology, TopologyError, find, load, parse
from tests.conftest import EXAMPLES, ROOT, example

EXAMPLE: dict[str, Any] = yaml.safe_load((ROOT / "backbone.yaml").read_text())
CASES = yaml.safe_load((Path(__file__).with_name("errors.yaml")).read_text())


def changed(changes: dict[str, str]) -> str:
    """The example with values at dotted paths replaced by YAML texts."""
    document = yaml.safe_load((ROOT / "backbone.yaml").read_text())
    for path, text in changes.items():
        *parents, key = path.split(".")
        place = document
        for parent in parents:
            place = place[parent]
        place[key] = f"@@{text}@@"
        if text == "~":
            del place[key]
    dumped: str = yaml.safe_dump(document, sort_keys=False, width=10_000)
    for text in changes.values():
        for quoted in (f"'@@{text}@@'", f'"@@{text}@@"', f"'@@{text}@@'".replace(text, text.replace("'", "''"))):
            dumped = dumped.replace(quoted, text)
    return dumped


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_wrong_file_is_answered_line_by_line(case: dict[str, Any]) -> None:
    text = case["file"] if "file" in case else changed(case["change"])
    with pytest.raises(TopologyError) as caught:
        parse(text)
    got = str(caught.value).splitlines()
    assert len(got) == len(case["errors"]), got
    for line, expected in zip(got, case["errors"], strict=True):
        assert expected in line
        assert line.startswith("backbone.yaml:")


def test_an_error_names_the_line_of_the_value() -> None:
    text = (ROOT / "backbone.yaml").read_text().replace("archive_days: 30", "archive_days: soon")
    line = next(number for number, one in enumerate(text.splitlines(), 1) if "archive_days" in one)
    with pytest.raises(TopologyError, match=rf"backbone.yaml:{line}: bus.archive_days: got 'soon'; allowed: a whole"):
        parse(text)


def test_aliases_that_expand_without_end() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    with pytest.raises(TopologyError, match="aliases expand to more than 200,000 values"):
        parse("\n".join(lines))


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(TopologyError, match=r"nothing.yaml: there is no such file"):
        load(tmp_path / "nothing.yaml")


def test_a_folder_and_a_file_of_another_encoding(tmp_path: Path) -> None:
    with pytest.raises(TopologyError, match="is a folder; name the YAML file in it"):
        load(tmp_path)
    (tmp_path / "latin.yaml").write_bytes(b"name: shop\n# caf\xe9\n")
    with pytest.raises(TopologyError, match=r"latin.yaml:2: byte 0xe9 is not UTF-8"):
        load(tmp_path / "latin.yaml")


def test_the_example() -> None:
    topology = example("single")
    assert topology.warnings == ()
    assert topology.accounts["order"].id == "222222222222"
    assert topology.source_of("order-service") == "order-service"
    assert topology.accounts_in_use == ("delivery", "order", "bus")
    assert topology.services["order-service"].subscribes[0].detail_type == "Delivery.Updated"


def test_a_topology_is_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        setattr(example("single"), "name", "other")  # noqa: B010 - mypy refuses the plain assignment as well


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_is_valid(name: str) -> None:
    assert isinstance(example(name), Topology)


@pytest.mark.parametrize(
    ("change", "warning"),
    [
        (
            {"services.order-service.subscribes": "[Delivery.Updatd]"},
            "no other service publishes 'Delivery.Updatd' (did you mean 'Delivery.Updated'?)",
        ),
        (
            {"services.order-service.subscribes": "[Order.Created]"},
            "services.order-service.subscribes[0]: no other service publishes 'Order.Created'",
        ),
        (
            {"services.order-service.subscribes": "[{detail_type: Delivery.Updated, source: x}]"},
            "'x' does not publish 'Delivery.Updated'; it is published by delivery-service",
        ),
        (
            {"services.order-service.subscribes": "[aws.s3]"},
            "services.order-service.subscribes[0]: 'aws.s3' looks like a source, and no service publishes it; events "
            "of AWS services never arrive here",
        ),
        (
            {"services.order-service.subscribes": "[Object Created]"},
            "services.order-service.subscribes[0]: 'Object Created' is a detail-type of AWS, and no service publishes "
            "it; events of AWS services never arrive here",
        ),
        (
            {"accounts.spare": '{id: "444444444444"}'},
            "accounts.spare: no service and no bus of the backbone is in this account",
        ),
        ({"services": "{}"}, "no services are declared"),
        (
            {"confidential": "[Order.Createt]"},
            "confidential[0]: no service publishes 'Order.Createt' (did you mean 'Order.Created'?)",
        ),
        (
            {"services.order-service.confidential": "true", "logs.bus": "{level: INFO, detail: FULL}"},
            "logs.bus.detail: FULL shows the detail of confidential events in what buses report; NONE does not",
        ),
    ],
)
def test_what_is_allowed_but_likely_a_mistake(change: dict[str, str], warning: str) -> None:
    messages = [str(one) for one in parse(changed(change)).warnings]
    assert [one for one in messages if warning in one], messages


def test_an_id_that_only_looks_like_an_octal_number_needs_no_quotes() -> None:
    topology = parse(changed({"accounts.order.id": "022222222229"}))
    assert topology.accounts["order"].id == "022222222229"


def test_other_partitions() -> None:
    china = parse(changed({"region": "cn-north-1"}))
    assert china.place("bus").bus("x") == "arn:aws-cn:events:cn-north-1:111111111111:event-bus/x"
    government = parse(changed({"region": "us-gov-west-1"}))
    assert government.place("bus").root == "arn:aws-us-gov:iam::111111111111:root"
    newer = parse(changed({"region": "eu-west-9", "partition": "aws"}))
    assert newer.place("bus").arn("sqs", "q") == "arn:aws:sqs:eu-west-9:111111111111:q"


def test_the_file_that_the_environment_names(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("BACKBONE_FILE", raising=False)
    assert find(tmp_path) == tmp_path / "backbone.yaml"
    monkeypatch.setenv("BACKBONE_FILE", "prod.yaml")
    assert find(tmp_path) == Path("prod.yaml")


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
PATHS = st.sampled_from(
    [
        *[(key,) for key in EXAMPLE],
        *[("services", "order-service", key) for key in ("account", "source", "publishes", "subscribes", "retry")],
        *[("accounts", "order", key) for key in ("id", "deploy_role", "profile", "kms_key")],
        *[("bus", key) for key in ("account", "name", "archive_days")],
    ]
)


@given(path=PATHS, value=VALUES)
def test_no_value_anywhere_ends_in_anything_but_an_answer(path: tuple[str, ...], value: Any) -> None:
    document = yaml.safe_load((ROOT / "backbone.yaml").read_text())
    place = document
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    text = yaml.safe_dump(document)
    try:
        problems = list(parse(text).warnings)
    except TopologyError as error:
        problems = error.problems
        assert problems
    assert all(one.message and one.line for one in problems)


@given(st.text(max_size=60))
def test_no_text_ends_in_anything_but_an_answer(text: str) -> None:
    with pytest.raises(TopologyError):
        parse(text)


def test_more_relays_than_a_default_bus_takes_rules() -> None:
    relays = {f"r{number}": {"pattern": {"source": ["aws.s3"]}, "publishes": "Order.Created"} for number in range(301)}
    document = yaml.safe_load((ROOT / "backbone.yaml").read_text())
    document["services"]["order-service"]["relays"] = relays
    (warning,) = parse(yaml.safe_dump(document)).warnings
    assert "accounts.order: the default bus would have 301 rules of relays; AWS allows 300 per bus" in str(warning)
    del relays["r0"]
    assert parse(yaml.safe_dump(document)).warnings == ()
