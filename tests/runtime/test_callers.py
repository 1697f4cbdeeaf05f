from __future__ import annotations

from typing import Any

import pytest

from backbone.runtime import principal

ROLE = "arn:aws:sts::222222222222:assumed-role"


@pytest.mark.parametrize(
    ("authorizer", "name"),
    [
        (None, ""),
        ({}, ""),
        ({"iam": None, "jwt": None}, ""),
        ({"iam": {"userArn": f"{ROLE}/front/pod-1"}}, f"{ROLE}/front"),
        ({"iam": {"userArn": f"{ROLE}/front/pod-2"}}, f"{ROLE}/front"),
        (
            {"iam": {"userArn": "arn:aws:iam::222222222222:user/team/shopper"}},
            "arn:aws:iam::222222222222:user/team/shopper",
        ),
        ({"iam": {"userArn": "arn:aws:iam::222222222222:root"}}, "arn:aws:iam::222222222222:root"),
        (
            {"iam": {"userArn": f"{ROLE}/all/session", "cognitoIdentity": {"identityId": "eu-west-1:1"}}},
            "eu-west-1:1",
        ),
        ({"jwt": {"claims": {"iss": "https://issuer", "sub": "s", "jti": "1"}}}, "https://issuer#s"),
        ({"jwt": {"claims": {"iss": "https://issuer", "client_id": "c"}}}, "https://issuer#c"),
        ({"jwt": {"claims": {"iss": "https://other", "sub": "s"}}}, "https://other#s"),
    ],
)
def test_a_caller_has_the_same_name_in_every_call(authorizer: Any, name: str) -> None:
    assert principal({"authorizer": authorizer}) == name
