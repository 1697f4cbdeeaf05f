"""The data of arguments against the real provider."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scripts import provider_schema
from tests.e2e.terraform import plugin_folder
from tests.system.mutations import mutations
from tests.system.verdicts import refused, verdicts

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="session")
def plugins() -> Path:
    found = plugin_folder()
    assert found is not None, "no Terraform plugin folder with the AWS provider"
    return found


def test_the_data_are_those_of_the_provider(plugins: Path) -> None:
    data = json.loads(provider_schema.DATA.read_text())
    _, six = provider_schema.bindings()
    five = provider_schema.provider(plugins)
    del data["versions"]
    assert data == {name: provider_schema.merged(five[name], six[name]) for name in provider_schema.TYPES}


def test_terraform_still_says_what_was_recorded(plugins: Path) -> None:
    """A sample of the recorded verdicts: all of them take some minutes."""
    recorded = {(name, place): iter(one) for name, places in verdicts().items() for place, one in places.items()}
    cases = [(one, next(recorded[one.resource_type, one.place]) == "x") for one in mutations()][::20]
    assert refused([one for one, _ in cases], plugins) == [is_refused for _, is_refused in cases]
