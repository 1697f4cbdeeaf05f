from __future__ import annotations

from typing import Any

import pytest
import yaml

from backbone.aws import key_policies, policies
from backbone.aws.limits import BUS_POLICY_CHARACTERS, KEY_POLICY_BYTES
from backbone.topology import Topology, TopologyError, parse, quotas
from backbone.topology.keys import key_use


def many(count: int, *, shared: int = 1, **options: Any) -> Topology:
    """A backbone of so many accounts with so many services each."""
    accounts = {f"a{n}": {"id": f"{n + 1:012d}"} for n in range(count)}
    services = {
        f"s{n}-{m}": {"account": f"a{n}", "publishes": [f"S{n}.{m}.Created"]}
        for n in range(count)
        for m in range(shared)
    }
    document: dict[str, Any] = {"name": "big", "region": "eu-west-1", "layout": "per-account"}
    document |= {"accounts": accounts, "bus": {"account": "a0"}, "services": services} | options
    return parse(yaml.safe_dump(document))


def policy(topology: Topology) -> policies.Document:
    bus_arn = topology.main.arn
    found = policies.global_bus(
        bus_arn, quotas.publishers(topology, topology.main), organization_id=topology.organization_id
    )
    assert found is not None
    return found


def test_a_policy_that_would_be_too_long_is_an_error_with_its_size_and_the_ways_out() -> None:
    with pytest.raises(TopologyError) as caught:
        many(60)
    message = str(caught.value)
    assert "services: the policy of the global bus for 60 accounts has" in message
    assert "AWS allows 10,240 (quota 'Event bus policy size')" in message
    assert "set bus.pin_detail_types to false" in message
    assert "give organization_id" in message


@pytest.mark.parametrize(("letters", "fits"), [(40, True), (80, False)])
def test_the_policy_of_a_key_that_is_made_grows_with_the_names_of_buses(letters: int, fits: bool) -> None:
    document = {
        "name": "big",
        "region": "eu-west-1",
        "layout": "single",
        "accounts": {"hub": {"id": "111111111111", "kms_key": "create"}},
        "bus": {"account": "hub"},
        "services": {f"{'s' * letters}{n}": {"account": "hub"} for n in range(80)},
    }
    if fits:
        use = key_use(parse(yaml.safe_dump(document)), "hub")
        assert 20_000 < len(policies.to_json(key_policies.policy(use)).encode()) < KEY_POLICY_BYTES
        return
    with pytest.raises(TopologyError) as caught:
        parse(yaml.safe_dump(document))
    assert "accounts.hub.kms_key: the policy of the key of hub has 3" in str(caught.value)
    assert "AWS allows 32,768; ways out: spread the services over more accounts, or name a key" in str(caught.value)


def test_each_way_out_that_the_error_names_is_one() -> None:
    without_types = many(38, bus={"account": "a0", "pin_detail_types": False})
    assert len(policies.to_json(policy(without_types))) <= 10_240
    organization = many(300, organization_id="o-a1b2c3d4e5")
    assert len(policies.to_json(policy(organization))) <= 10_240


@pytest.mark.parametrize(
    ("count", "pins", "keys"),
    [
        (20, None, ["aws:PrincipalOrgID", "events:detail-type", "events:source"]),
        (200, "to all sources and detail-types", ["aws:PrincipalOrgID", "events:detail-type", "events:source"]),
        (600, "to all sources:", ["aws:PrincipalOrgID", "events:source"]),
        (1200, "the organization alone", ["aws:PrincipalOrgID"]),
    ],
)
def test_an_organization_gets_the_strictest_policy_that_fits(count: int, pins: str | None, keys: list[str]) -> None:
    topology = many(count, organization_id="o-a1b2c3d4e5")
    document = policy(topology)
    assert len(policies.to_json(document)) <= BUS_POLICY_CHARACTERS
    assert sorted(document["Statement"][0]["Condition"]["StringEquals"]) == keys
    warned = [str(one) for one in topology.warnings if "organization_id" in str(one)]
    assert (pins is None) == (warned == [])
    assert pins is None or pins in warned[0]


def test_a_single_state_for_many_accounts_is_a_warning() -> None:
    assert [str(one) for one in many(10, layout="single").warnings] == []
    (warning,) = many(11, layout="single").warnings
    assert "layout: single runs a provider process" in warning.message
    assert "layout: per-account" in warning.message


def test_more_rules_than_a_bus_has_is_a_warning_with_the_regions_quota() -> None:
    assert [one for one in many(3, shared=99, bus=WITHOUT_TYPES).warnings if "rules" in one.message] == []
    (warning,) = [one for one in many(3, shared=100, bus=WITHOUT_TYPES).warnings if "rules" in one.message]
    assert "would have 302 rules; AWS allows 300 per bus in eu-west-1" in warning.message
    (warning,) = [
        one for one in many(3, shared=34, region="eu-south-1", bus=WITHOUT_TYPES).warnings if "rules" in one.message
    ]
    assert "would have 104 rules; AWS allows 100 per bus in eu-south-1" in warning.message


WITHOUT_TYPES = {"account": "a0", "pin_detail_types": False}


def test_more_buses_than_an_account_has_is_a_warning() -> None:
    (warning,) = [one for one in many(2, shared=100, bus=WITHOUT_TYPES).warnings if "buses" in one.message]
    assert "accounts.a0: 101 buses would be in this account; AWS allows 100" in str(warning)


def test_a_pattern_that_is_too_long_is_an_error() -> None:
    types = [f"Some.Detail.Type.Number.{n:05d}" for n in range(80)]
    services = {"a": {"account": "a0", "subscribes": types}, "b": {"account": "a0", "publishes": types}}
    options = {"accounts": {"a0": {"id": "000000000001"}}, "services": services, "bus": {"account": "a0"}}
    document = {"name": "big", "region": "eu-west-1", "routing": "subscribed"} | options
    with pytest.raises(TopologyError, match=r"services.a.subscribes: the forwarding rule's pattern has 2,\d+ char"):
        parse(yaml.safe_dump(document))
