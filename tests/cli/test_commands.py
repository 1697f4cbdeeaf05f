from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest

from backbone.version import __version__
from tests.cli.command import BACKBONE, run
from tests.conftest import ROOT


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with a file of its own."""
    (tmp_path / "backbone.yaml").write_text((ROOT / "backbone.yaml").read_text())
    return tmp_path


def test_validate() -> None:
    assert run(BACKBONE, "validate")[0] == "backbone.yaml: valid: 2 services in 3 accounts\n"


def test_validate_says_what_is_wrong_and_exits_with_2(project: Path) -> None:
    file = project / "backbone.yaml"
    file.write_text(file.read_text().replace("layout: single", "layout: sngle").replace("account: order", "account: x"))
    output, errors = run(BACKBONE, "validate", folder=project, status=2)
    assert output == ""
    assert [line.partition(" got")[0] for line in errors.splitlines()] == [
        "error: backbone.yaml:4: layout:",
        "error: backbone.yaml:15: services.order-service.account:",
    ]


def test_a_warning_does_not_stop_anything(project: Path) -> None:
    file = project / "backbone.yaml"
    file.write_text(file.read_text().replace("subscribes: [Order.Created]", "subscribes: [Order.Creatd]"))
    output, errors = run(BACKBONE, "validate", folder=project)
    assert "valid" in output
    assert errors.startswith("warning: backbone.yaml:23: services.delivery-service.subscribes[0]: no other service")


def test_the_schema_of_each_kind_of_file(project: Path) -> None:
    for kind, key in (("backbone", "routing"), ("environment", "changes_events"), ("team", "services")):
        printed = run(BACKBONE, "schema", kind, folder=project)[0]
        assert key in json.loads(printed)["properties"]
        assert run(BACKBONE, "schema", kind, "-o", "deep/schema.json", folder=project)[0] == "deep/schema.json\n"
        assert (project / "deep" / "schema.json").read_text() == printed


def test_synth_writes_the_stacks_and_shows_them(project: Path) -> None:
    output, _ = run(BACKBONE, "synth", folder=project, COLUMNS="120")
    assert (project / "cdktf.out" / "stacks" / "backbone" / "cdk.tf.json").is_file()
    assert "cdktf.out/stacks/backbone/cdk.tf.json" in output
    for text in ("delivery", "order", "bus", "event_bus:1", "21: ", "sqs_queue:3"):
        assert text in output


def test_two_files_side_by_side_share_neither_folder_nor_state(project: Path) -> None:
    prod = (project / "backbone.yaml").read_text().replace("111111111111", "444444444444")
    (project / "prod.yaml").write_text(prod)
    run(BACKBONE, "synth", folder=project)
    run(BACKBONE, "synth", folder=project, BACKBONE_FILE="prod.yaml")
    stack = Path("stacks") / "backbone" / "cdk.tf.json"
    dev, prod = ((project / folder / stack).read_text() for folder in ("cdktf.out", "cdktf.prod.out"))
    assert "terraform.shop-111111111111-eu-west-1.backbone.tfstate" in dev
    assert "terraform.shop-444444444444-eu-west-1.backbone.tfstate" in prod


def test_a_folder_that_cannot_be_written(project: Path) -> None:
    (project / "taken").write_text("")
    _, errors = run(BACKBONE, "synth", "-o", "taken/out", folder=project, status=3)
    assert "error: taken/out: cannot be written" in errors


def test_a_missing_file_and_a_missing_node(project: Path) -> None:
    assert "error: none.yaml: there is no such file" in run(BACKBONE, "synth", "none.yaml", folder=project, status=2)[1]
    _, errors = run(BACKBONE, "synth", folder=project, status=3, JSII_NODE="none")
    assert "error: JSII_NODE: got 'none', which is not Node" in errors


def test_the_program_of_cdktf_writes_the_same(project: Path) -> None:
    run(BACKBONE, "synth", folder=project)
    file, out = str(project / "backbone.yaml"), str(project / "by-cdktf")
    run(sys.executable, str(ROOT / "main.py"), BACKBONE_FILE=file, CDKTF_OUTDIR=out)
    stack = Path("stacks") / "backbone" / "cdk.tf.json"
    assert (project / "by-cdktf" / stack).read_bytes() == (project / "cdktf.out" / stack).read_bytes()


def test_the_program_of_cdktf_answers_a_mistake_with_2(project: Path) -> None:
    (project / "backbone.yaml").write_text("name: 5\n")
    _, errors = run(sys.executable, str(ROOT / "main.py"), status=2, BACKBONE_FILE=str(project / "backbone.yaml"))
    assert "name: got 5; allowed: 1 to 20 of a-z 0-9 -; put it in quotes" in errors


EVENT = '{"source": "order-service", "detail-type": "Order.Created", "account": "222222222222"}'


def test_match_says_why(project: Path) -> None:
    (project / "event.json").write_text(EVENT)
    (project / "pattern.json").write_text('{"source": ["order-service"]}')
    command = (BACKBONE, "match", "--event", "event.json", "--pattern", "pattern.json")
    assert run(*command, folder=project)[0] == 'matches\n  source: "order-service" satisfies "order-service"\n'
    (project / "pattern.json").write_text('{"source": [{"anything-but": ["order-service"]}]}')
    output, _ = run(*command, folder=project, status=1)
    assert output == 'does not match\n  source: required anything but "order-service"; found "order-service"\n'
    output, _ = run(*command, "--json", folder=project, status=1)
    assert json.loads(output)["combinations"][0]["fields"][0]["path"] == "source"


def test_match_each_event_of_a_file(project: Path) -> None:
    entries = [{"Source": source, "DetailType": "T", "Detail": '{"total": 5}'} for source in ("shop", "other")]
    (project / "entries.json").write_text(json.dumps(entries))
    (project / "pattern.json").write_text('{"source": ["shop"], "detail": {"total": [{"numeric": ["<", 6]}]}}')
    command = (BACKBONE, "match", "--event", "entries.json", "--pattern", "pattern.json")
    output, _ = run(*command, folder=project, status=1)
    assert output.splitlines()[0] == "[0]:"
    assert output.splitlines()[1] == "matches"
    assert output.splitlines()[-3:-1] == ["[1]:", "does not match"]
    assert [answer["matched"] for answer in json.loads(run(*command, "--json", folder=project, status=1)[0])] == [
        True,
        False,
    ]
    (project / "entries.json").write_text(json.dumps({"Entries": entries[:1]}))
    assert run(*command, folder=project)[0].startswith("Entries[0]:\nmatches\n")


def test_match_against_the_synthesized_rules(project: Path) -> None:
    (project / "event.json").write_text(EVENT)
    output, _ = run(BACKBONE, "match", "-e", "event.json", folder=project, COLUMNS="200")
    assert "shop-forward-delivery-service" in output
    assert "shop-forward-order-service" not in output
    found = json.loads(run(BACKBONE, "match", "-e", "event.json", "--json", folder=project)[0])
    assert [rule["rule"] for rule in found if rule["account"] == "bus"] == [
        "shop-forward-delivery-service",
        "shop-global-log",
    ]
    assert {rule["account"] for rule in found} == {"bus", "delivery"}  # it never comes to order's bus
    entry = {"Source": "delivery-service", "DetailType": "Delivery.Updated", "Detail": "{}"}
    (project / "entry.json").write_text(json.dumps(entry))
    found = json.loads(run(BACKBONE, "match", "-e", "entry.json", "--json", folder=project)[0])
    assert {rule["rule"] for rule in found} >= {"shop-forward-order-service", "shop-order-service-deliveries"}
    assert "shop-forward-delivery-service" not in {rule["rule"] for rule in found}
    (project / "entry.json").write_text(json.dumps(entry | {"EventBusName": "shop-order-service"}))
    found = json.loads(run(BACKBONE, "match", "-e", "entry.json", "--json", folder=project)[0])
    assert {rule["account"] for rule in found} == {"order"}
    (project / "entry.json").write_text(json.dumps(entry | {"EventBusName": "none"}))
    _, errors = run(BACKBONE, "match", "-e", "entry.json", folder=project, status=2)
    assert "EventBusName: got 'none'; allowed: the ARN of a bus, or one of shop-" in errors
    (project / "event.json").write_text('{"source": 1, "account": {}}')
    assert run(BACKBONE, "match", "-e", "event.json", folder=project, status=1)[0] == "no rule matches\n"


@pytest.mark.parametrize(
    ("pattern", "event", "message"),
    [
        ('{"source": "x"}', "{}", 'pattern.json: $.source: got "x"; allowed: an array, as in ["x"]'),
        ('{"source": ["x"]', "{}", "pattern.json: $: got text that is not JSON"),
        ('{"source": ["x"]}', "[]", "event.json: got an empty array; allowed: one event or more"),
        ('{"source": ["x"]}', "", "event.json: empty: "),
        (None, "{}", "pattern.json: cannot be read: No such file"),
    ],
)
def test_match_names_what_is_wrong(project: Path, pattern: str | None, event: str, message: str) -> None:
    if pattern is not None:
        (project / "pattern.json").write_text(pattern)
    (project / "event.json").write_text(event)
    _, errors = run(BACKBONE, "match", "-e", "event.json", "-p", "pattern.json", folder=project, status=2)
    assert errors.startswith(f"error: {message}")
    assert "both -" in run(BACKBONE, "match", "-e", "-", "-p", "-", folder=project, status=2)[1]


def test_help() -> None:
    output, _ = run(BACKBONE, "--help")
    assert "synth" in output
    assert "validate" in output


def test_version() -> None:
    assert run(BACKBONE, "--version")[0] == f"backbone {__version__}\n"
    assert run(sys.executable, "-m", "backbone.cli", "--version")[0] == f"backbone {__version__}\n"


def test_validate_as_json(project: Path) -> None:
    file = project / "backbone.yaml"
    file.write_text(file.read_text().replace("subscribes: [Order.Created]", "subscribes: [Bestellung.Geprüft]"))
    read = json.loads(run(BACKBONE, "validate", "--json", folder=project, PYTHONIOENCODING="ascii")[0])
    assert read["valid"] is True
    assert read["errors"] == []
    (warning,) = (found for found in read["warnings"] if found["key"] == "services.delivery-service.subscribes[0]")
    assert "Bestellung.Geprüft" in warning["message"]
    file.write_text(file.read_text().replace("layout: single", "layout: sngle"))
    read = json.loads(run(BACKBONE, "validate", "--json", folder=project, status=2)[0])
    assert read["valid"] is False
    assert [(error["file"], error["line"], error["key"]) for error in read["errors"]] == [
        ("backbone.yaml", 4, "layout")
    ]


def test_synth_as_json(project: Path) -> None:
    (stack,) = json.loads(run(BACKBONE, "synth", "--json", folder=project)[0])
    assert stack["stack"] == "backbone"
    assert (project / stack["file"]).is_file()
    assert stack["resources"]["bus"]["aws_cloudwatch_event_bus"] == 1


def test_schemas_and_new_service_list_their_files(project: Path) -> None:
    shutil.copytree(ROOT / "services", project / "services", ignore=shutil.ignore_patterns("__pycache__"))
    command = (BACKBONE, "new-service", "invoice", "--account", "order", "--json")
    written = json.loads(run(*command, folder=project)[0])
    assert written[-2:] == ["tests/services/test_invoice.py", "backbone.yaml"]
    assert all((project / file).is_file() for file in written)
    output, _ = run(BACKBONE, "schemas", folder=project)
    assert [Path(line).name for line in output.splitlines()][-1] == "Invoice.Updated.v1.json"
    schema = project / "services" / "invoice" / "schemas" / "Invoice.Updated.v1.json"
    schema.write_text(schema.read_text().replace("caused_by", "because_of"))
    errors = run(BACKBONE, "schemas", folder=project, status=1)[1]
    assert "data.because_of: was removed; give the event a new version" in errors
