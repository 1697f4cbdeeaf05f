from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backbone.aws.arn import Arn, ArnError, Place

WORDS = st.text(st.characters(exclude_characters=":"), min_size=1, max_size=12)
ARNS = st.builds(
    Arn,
    partition=WORDS,
    service=WORDS,
    region=WORDS | st.just(""),
    account_id=WORDS | st.just(""),
    resource=st.text(min_size=1, max_size=30),
)


@pytest.mark.parametrize(
    ("text", "parts", "name"),
    [
        (
            "arn:aws:sqs:eu-west-1:111111111111:orders",
            Arn("aws", "sqs", "eu-west-1", "111111111111", "orders"),
            "orders",
        ),
        (
            "arn:aws-cn:events:cn-north-1:111111111111:rule/shop-global/log",
            Arn("aws-cn", "events", "cn-north-1", "111111111111", "rule/shop-global/log"),
            "log",
        ),
        (
            "arn:aws:lambda:eu-west-1:111111111111:function:orders",
            Arn("aws", "lambda", "eu-west-1", "111111111111", "function:orders"),
            "orders",
        ),
        ("arn:aws:iam::111111111111:role/ci/deploy", Arn("aws", "iam", "", "111111111111", "role/ci/deploy"), "deploy"),
        ("arn:aws:s3:::shop-state", Arn("aws", "s3", "", "", "shop-state"), "shop-state"),
    ],
)
def test_parts_and_name(text: str, parts: Arn, name: str) -> None:
    assert Arn.parse(text) == parts
    assert parts.name == name
    assert parts.place == Place(parts.partition, parts.region, parts.account_id)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "orders",
        "arn:aws:sqs:eu-west-1:111111111111",
        "arn:aws:sqs:eu-west-1:111111111111:",
        "arn::sqs:eu-west-1:111111111111:orders",
        "arn:aws::eu-west-1:111111111111:orders",
        "ARN:aws:sqs:eu-west-1:111111111111:orders",
        "https://sqs.eu-west-1.amazonaws.com/111111111111/orders",
    ],
)
def test_what_is_not_an_arn(text: str) -> None:
    with pytest.raises(ArnError) as caught:
        Arn.parse(text)
    assert str(caught.value) == f"got {text!r}; allowed: an ARN, as in arn:aws:sqs:eu-west-1:111111111111:orders"


@given(ARNS)
def test_an_arn_is_read_as_it_is_written(arn: Arn) -> None:
    assert Arn.parse(str(arn)) == arn


@given(st.text(max_size=60) | ARNS.map(str))
def test_a_text_is_an_arn_that_reads_the_same_or_an_error(text: str) -> None:
    try:
        arn = Arn.parse(text)
    except ArnError:
        return
    assert str(arn) == text


def test_arns_of_a_place() -> None:
    place = Place("aws-us-gov", "us-gov-west-1", "012345678901")
    assert place.arn("sqs", "orders") == "arn:aws-us-gov:sqs:us-gov-west-1:012345678901:orders"
    assert place.bus("b") == "arn:aws-us-gov:events:us-gov-west-1:012345678901:event-bus/b"
    assert place.rule("b", "r") == "arn:aws-us-gov:events:us-gov-west-1:012345678901:rule/b/r"
    assert place.root == "arn:aws-us-gov:iam::012345678901:root"
