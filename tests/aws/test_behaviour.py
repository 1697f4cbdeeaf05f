"""The page about AWS's behaviour has what the tests have."""

from __future__ import annotations

from tests.aws.behaviour import markdown


def test_most_of_it_is_recorded() -> None:
    assert markdown().count("| recorded on AWS") > 50
