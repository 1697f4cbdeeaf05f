"""`backbone simulate` with events of AWS services."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from backbone.synthesis import output
from backbone.topology import load
from tests.cli.command import BACKBONE, run
from tests.simulator.test_relays import EVENT, TEXT


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "backbone.yaml").write_text(TEXT)
    output.synth(load(tmp_path / "backbone.yaml"), tmp_path / "cdktf.out")
    (tmp_path / "event.json").write_text(json.dumps(EVENT))
    (tmp_path / "sample.json").write_text(json.dumps({**EVENT, "account": "123456789012"}))
    entry = {"Source": "aws.s3", "DetailType": "Object Created", "Detail": "{}"}
    (tmp_path / "entry.json").write_text(json.dumps(entry))
    return tmp_path


def test_an_event_of_aws_arises_on_its_accounts_default_bus(project: Path) -> None:
    found = run(BACKBONE, "simulate", "-e", "event.json", "--expect", "Upload.Received=1", folder=project)[0]
    assert "put media:default Object Created from aws.s3" in found
    errors = run(BACKBONE, "simulate", "-e", "sample.json", folder=project, status=2)[1]
    assert "got '123456789012'; allowed: bus, media, thumbs" in errors
    assert "--as names the account whose default bus gets the event" in errors
    run(BACKBONE, "simulate", "-e", "sample.json", "--as", "media", "--expect", "Upload.Received", folder=project)
    errors = run(BACKBONE, "simulate", "-e", "entry.json", "--as", "media", folder=project, status=1)[1]
    assert "NotAuthorizedForSourceException" in errors
