from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from backbone.aws import names
from backbone.aws.names import Names
from backbone.aws.regions import partition_of

SERVICES = st.from_regex(r"[a-z][a-z0-9-]{0,200}", fullmatch=True)


def test_names_of_the_example() -> None:
    made = Names("shop", "eu-west-1")
    assert made.global_bus() == "shop-global"
    assert made.local_bus("order-service") == "shop-order-service"
    assert made.forwarding_role("order-service") == "shop-forward-order-service-eu-west-1"
    assert names.log_group("shop-global") == "/aws/events/shop-global"


def test_partitions() -> None:
    assert partition_of("eu-west-1") == "aws"
    assert partition_of("cn-north-1") == "aws-cn"
    assert partition_of("us-gov-east-1") == "aws-us-gov"
    assert partition_of("eu-west-9") is None


@given(SERVICES)
def test_names_are_within_the_limits_and_characters_of_aws(service: str) -> None:
    made = Names("x" * 20, "ap-southeast-1")
    bus = made.local_bus(service)
    for name, pattern in [
        (made.forwarding_rule(service), r"[\w.-]{1,64}"),
        (made.forwarding_role(service), r"[\w+=,.@-]{1,64}"),
        (made.forwarding_dead_letters(service), r"[\w-]{1,80}"),
        (names.logging_rule(bus), r"[\w.-]{1,64}"),
        (names.logging_dead_letters(bus + ".x"), r"[\w-]{1,80}"),
        (names.bus_dead_letters(bus), r"[\w-]{1,80}"),
        (names.archive(bus), r"[\w.-]{1,48}"),
        (names.delivery(bus + ".x", "reports"), r"[\w-]{1,60}"),
    ]:
        assert re.fullmatch(pattern, name), name


@given(SERVICES, SERVICES)
def test_two_services_never_share_a_name(one: str, other: str) -> None:
    made = Names("shop", "eu-west-1")
    for name in (made.forwarding_rule, made.forwarding_role, made.forwarding_dead_letters):
        assert (name(one) == name(other)) == (one == other)


def test_a_long_name_keeps_its_beginning() -> None:
    assert names.fit("a" * 64, 64) == "a" * 64
    cut = names.fit("a" * 65, 64)
    assert len(cut) == 64
    assert re.fullmatch(r"a{53}-[0-9a-f]{10}", cut)
