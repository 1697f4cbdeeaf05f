from __future__ import annotations

import json

from backbone.aws import policies
from backbone.aws.arn import Place
from backbone.aws.limits import BUS_NAME_CHARACTERS, BUS_POLICY_CHARACTERS, LOGS_POLICY_CHARACTERS, ROLE_NAME_CHARACTERS

PLACE = Place("aws", "eu-west-1", "111111111111")


def test_the_policies_of_fixed_size_are_far_from_their_limits() -> None:
    assert len(policies.to_json(policies.event_logs(PLACE, vended=True))) < LOGS_POLICY_CHARACTERS / 2
    role_arn = PLACE.iam("role/" + "x" * ROLE_NAME_CHARACTERS)
    local = policies.local_bus(PLACE.bus("x" * BUS_NAME_CHARACTERS), {role_arn: PLACE})
    assert len(policies.to_json(local)) < BUS_POLICY_CHARACTERS / 10


def test_equal_documents_are_equal_texts() -> None:
    publishers = [policies.Publisher(PLACE, {"b": ["Y", "X"], "a": ["X", "Y"]})]
    again = [policies.Publisher(PLACE, {"a": ["X", "Y", "Y"], "b": ["Y", "X"]})]
    texts = {
        policies.to_json(policies.global_bus("arn", each, organization_id=None) or {}) for each in (publishers, again)
    }
    assert len(texts) == 1
    equal = json.loads(texts.pop())["Statement"][0]["Condition"]["StringEquals"]
    assert equal == {"events:detail-type": ["X", "Y"], "events:source": ["a", "b"]}


def test_each_source_has_its_own_detail_types() -> None:
    publisher = policies.Publisher(PLACE, {"b": ["Y"], "a": ["X"], "c": ["X"]})
    (pinned, document), *others = policies.global_bus_choices("arn", [publisher], organization_id=None)
    assert pinned == "each source to its own detail-types"
    found = {one["Sid"]: one["Condition"]["StringEquals"] for one in document["Statement"]}
    assert found == {
        "Account111111111111": {"events:detail-type": "X", "events:source": ["a", "c"]},
        "Account111111111111Source2": {"events:detail-type": "Y", "events:source": "b"},
    }
    assert [pinned for pinned, _ in others] == [policies.BY_ACCOUNT]


def test_without_publishers_the_global_bus_has_no_policy() -> None:
    assert policies.global_bus("arn", [], organization_id="o-a1b2c3d4e5") is None
