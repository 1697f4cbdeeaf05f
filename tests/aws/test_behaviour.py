"""The page about AWS's behaviour says what the tests say."""

from __future__ import annotations

from tests.aws.behaviour import FILE, markdown


def test_the_page_is_that_of_the_cases() -> None:
    assert FILE.read_text(encoding="utf-8") == markdown(), "run `make docs`"
    assert markdown().count("| recorded on AWS") > 50
