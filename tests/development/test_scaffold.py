"""`backbone new-service` writes a service that works at once."""

from __future__ import annotations

import ast
import difflib
import json
import keyword
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backbone.development.declare import DeclareError
from backbone.development.scaffold import NewService, ScaffoldError, new_service
from backbone.development.service_package import PackageNameError
from backbone.errors import BackboneError, MachineError
from backbone.topology import TopologyError, load
from tests.conftest import ROOT

TOOLS = Path(sys.executable).parent


@pytest.fixture
def project(tmp_path: Path) -> Path:
    shutil.copy(ROOT / "backbone.yaml", tmp_path)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shutil.copytree(ROOT / "services", tmp_path / "services", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def run(project: Path, *command: str) -> str:
    environment = {key: value for key, value in os.environ.items() if key not in ("BACKBONE_FILE", "CDKTF_OUTDIR")}
    done = subprocess.run(
        command,
        cwd=project,
        env=environment | {"PYTHONPATH": f"{project}{os.pathsep}{ROOT}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def synthesized(project: Path) -> dict[str, Any]:
    run(project, str(TOOLS / "backbone"), "synth")
    read = json.loads((project / "cdktf.out" / "stacks" / "backbone" / "cdk.tf.json").read_text())
    return {f"{kind}.{name}": body for kind, named in read["resource"].items() for name, body in named.items()}


def check_style(project: Path, *paths: str) -> None:
    for check in (["check"], ["format", "--check"]):
        run(project, str(TOOLS / "ruff"), *check, "--no-cache", *paths)


ACCOUNT = ("--account", "invoice", "--account-id", "444444444444")


@pytest.mark.parametrize(
    ("name", "options", "tests"),
    [
        ("invoice-service", ACCOUNT, 1),
        ("billing", (*ACCOUNT, "--publishes", "Bill.Sent", "--publishes", "Bill.Paid", "--language", "python"), 1),
        ("audit", (*ACCOUNT, "--subscribes", "Order.Created", "--subscribes", "Delivery.Updated"), 2),
        ("type-service", (*ACCOUNT, "--publishes", "A", "--publishes", "B", "--subscribes", "Order.Updated"), 1),
    ],
)
def test_it_synthesizes_and_passes_its_test_and_touches_nothing_else(
    project: Path, name: str, options: tuple[str, ...], tests: int
) -> None:
    before, text = synthesized(project), (project / "backbone.yaml").read_text()
    run(project, str(TOOLS / "backbone"), "new-service", name, *options)
    after = synthesized(project)
    policy = "aws_cloudwatch_event_bus_policy.global-bus_policy_117A2459"
    differ = [address for address in before if before[address] != after[address]]
    assert differ == ([] if name == "audit" else [policy])  # it publishes nothing
    assert all(
        f"services_{name}" in address or f"forwarding_{name}" in address or "accounts_invoice" in address
        for address in after.keys() - before.keys()
    )
    changed = list(difflib.ndiff(text.splitlines(), (project / "backbone.yaml").read_text().splitlines()))
    assert not any(line.startswith("-") for line in changed)
    added = [line[2:] for line in changed if line.startswith("+")]
    assert added[0] == '  invoice: {id: "444444444444", deploy_role: backbone-deploy}'
    package = name.removesuffix("-service")
    assert added[-1] == f"    module: services.{package}"
    run(project, str(TOOLS / "backbone"), "check", "--no-synth")
    pytest_output = run(project, sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/services")
    assert f"{tests} passed" in pytest_output
    check_style(project, f"services/{package}", "tests")


def test_the_code_of_a_service_that_is_declared_already(project: Path) -> None:
    file = project / "backbone.yaml"
    file.write_text(
        file.read_text().replace(
            "logs:",
            "  # ours\n  invoice-service: {account: order, subscribes: [{detail_type: Order.Created}]} # soon\n"
            "  audit:  # of orders\n    account: bus\n    publishes: [Audit.Done]  # each night\n  # the end\nlogs:",
        )
    )
    new_service(file, NewService("invoice-service"))
    new_service(file, NewService("audit", account="bus", publishes=["Audit.Done"]))
    text = file.read_text()
    assert "subscribes: [{detail_type: Order.Created}], module: services.invoice} # soon\n" in text
    assert "    publishes: [Audit.Done]  # each night\n    module: services.audit\n  # the end\nlogs:" in text
    synthesized(project)
    with pytest.raises(ScaffoldError, match=r"audit: the file has it already, with the module services.audit"):
        new_service(file, NewService("audit"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"account": "bus"}, r"--account: got bus; the file says of invoice-service: order"),
        ({"publishes": ["A", "B"]}, r"--publishes: got B; the file says of invoice-service: A; change the file first"),
        ({"subscribes": ["A"]}, r"--subscribes: got A; the file says of invoice-service: Order.Created"),
    ],
)
def test_what_the_file_says_of_a_service_holds(project: Path, options: dict[str, Any], message: str) -> None:
    file = project / "backbone.yaml"
    entry = "  invoice-service: {account: order, publishes: [A], subscribes: [Order.Created]}\nlogs:"
    file.write_text(file.read_text().replace("logs:", entry))
    before = contents(project)
    with pytest.raises(ScaffoldError, match=message):
        new_service(file, NewService("invoice-service", **options))
    assert contents(project) == before


@pytest.mark.parametrize(
    ("wanted", "error", "message"),
    [
        (NewService("order-service"), ScaffoldError, r"services.order-service: the file has it already, with"),
        (NewService("class", "order"), PackageNameError, r"class: its package would be 'class', a keyword of Python"),
        (NewService("import-service", "order"), PackageNameError, r"would be 'import', a keyword of Python"),
        (NewService("common", "order"), PackageNameError, r"'common', the package that ships with every service"),
        (NewService("2fast", "order"), PackageNameError, r"got the service '2fast'; allowed: a lower-case letter"),
        (NewService("In_voice", "order"), PackageNameError, r"allowed: a lower-case letter, then a-z 0-9 -"),
        (NewService("json", "order", root="."), PackageNameError, r"'json', the name of a module that it would hide"),
        (NewService("backbone", "order", root="."), PackageNameError, r"'backbone', the name of a module"),
        (NewService("x", "order", root="a.class"), PackageNameError, r"--root: got 'a.class'; allowed: a Python pack"),
        (NewService("order", "order"), ScaffoldError, r"services/order: is there already; choose another name"),
        (NewService("invoice"), ScaffoldError, r"--account: is missing; allowed: bus, order, delivery, or a new one"),
        (NewService("invoice", "none"), ScaffoldError, r"got 'none'; allowed: bus, order, delivery, or a new one with"),
        (NewService("invoice", "bus", "444444444444"), ScaffoldError, r"the file says 111111111111"),
        (NewService("invoice", "new", "4"), TopologyError, r"12 digits"),
        (NewService("invoice", "bus", subscribes=["No.One"]), ScaffoldError, r"no other service publishes No.One"),
        (
            NewService("invoice", "bus", subscribes=["Order.Created", "Order.Updatd"]),
            ScaffoldError,
            r"--subscribes: got Order.Updatd; allowed: what another service publishes: Del.*mean 'Order.Updated'",
        ),
        (NewService("invoice", "bus", publishes=["a*"]), TopologyError, r"publishes\[0\]: got 'a\*'; allowed: a whole"),
    ],
)
def test_what_cannot_be_added_is_said_and_nothing_written(
    project: Path, wanted: NewService, error: type[BackboneError], message: str
) -> None:
    before = contents(project)
    with pytest.raises(error, match=message):
        new_service(project / "backbone.yaml", wanted)
    assert contents(project) == before


words = st.sampled_from([*keyword.kwlist, *keyword.softkwlist, *sys.stdlib_module_names, "common", "tests", "order"])
names = st.one_of(
    st.text(max_size=20),
    st.from_regex(r"[a-z][a-z0-9-]{0,12}", fullmatch=True),
    st.builds(lambda word, end: word.replace("_", "-") + end, words, st.sampled_from(["", "-service", "-", "-2"])),
    st.sampled_from(["", ".", "..", "../x", "a/b", "a.b", "-service", "a" * 101, "a" * 300, "con\0", "__init__", "é"]),
)


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=names, root=st.sampled_from([None, ".", "acme.services"]))
def test_any_name_gives_a_package_that_python_imports_or_nothing(project: Path, name: str, root: str | None) -> None:
    file = project / "backbone.yaml"
    before = contents(project)
    try:
        written = new_service(file, NewService(name, "order", root=root))
    except BackboneError:
        assert contents(project) == before
        return
    module = str(load(file).services[name].module)
    ast.parse(f"import {module}.events")
    assert module.split(".")[0] not in sys.stdlib_module_names
    for path in contents(project).keys() - before.keys():
        assert path in written
        compile(path.read_text(), path, "exec")
        path.unlink()
    (project.joinpath(*module.split("."))).rmdir()
    file.write_bytes(before[file])


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("name: shop\nregion: [\n", TopologyError, r"backbone.yaml:3"),
        ("name: shop\nregion: nowhere\n", TopologyError, r"region: got"),
        (
            '{name: shop, region: eu-west-1, accounts: {bus: {id: "111111111111"}}, bus: {account: bus}}',
            DeclareError,
            r"backbone.yaml: to add something, write the keys on lines of their own",
        ),
        (
            'name: shop\nregion: eu-west-1\naccounts: {bus: {id: "111111111111"}}\nbus: {account: bus}\n'
            "services: {a: {account: bus, publishes: [A]}}\n",
            DeclareError,
            r"services: to add an entry, write the entries on lines of their own, not in braces",
        ),
    ],
)
def test_a_file_that_nothing_can_be_added_to_stays_as_it_is(
    project: Path, text: str, error: type[BackboneError], message: str
) -> None:
    (project / "backbone.yaml").write_text(text)
    before = contents(project)
    with pytest.raises(error, match=message):
        new_service(project / "backbone.yaml", NewService("invoice", "bus"))
    assert contents(project) == before


def test_comments_after_the_last_service_stay_where_they_are(project: Path) -> None:
    file = project / "backbone.yaml"
    file.write_text(file.read_text().replace("logs: {ret", "  # the end of services\nlogs: {ret"))
    new_service(file, NewService("invoice", "order"))
    lines = file.read_text().splitlines()
    end = lines.index("  # the end of services")
    assert lines[end - 1] == "    module: services.invoice"
    assert lines[end + 1].startswith("logs:")
    assert list(load(file).services) == ["order-service", "delivery-service", "invoice"]


HEAD = 'name: shop\nregion: eu-west-1\naccounts:\n  bus: {id: "111111111111"}\nbus: {account: bus}\n'


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (HEAD, "services:\n  invoice:\n    account: bus\n"),
        (f"{HEAD}services: {{}} # none yet\n", "services: # none yet\n  invoice:\n    account: bus\n"),
        (f"{HEAD}services: {{}}\nlogs: {{retention_days: 7}}", "services:\n  invoice:\n    account: bus\n"),
        (f"{HEAD}services:\n    a: {{account: bus}}", "    a: {account: bus}\n    invoice:\n      account: bus\n"),
        (HEAD.replace("\n", "\r\n"), "services:\r\n  invoice:\r\n    account: bus\r\n"),
    ],
)
def test_the_first_service_and_other_ways_to_write_a_file(tmp_path: Path, before: str, after: str) -> None:
    file = tmp_path / "backbone.yaml"
    file.write_bytes(before.encode())
    new_service(file, NewService("invoice", "bus"))
    text = file.read_bytes().decode()
    assert after in text
    assert load(file).services["invoice"].detail_types == ("Invoice.Created",)
    kept = [line for line in text.splitlines(keepends=True) if line in before.splitlines(keepends=True)]
    assert len(kept) >= before.count("\n") - 1


@pytest.mark.parametrize(
    ("module", "root", "expected"),
    [
        ("acme.shop.services.order", None, "acme.shop.services.invoice"),
        ("order", None, "invoice"),
        ("acme.order", "other", "other.invoice"),
        ("acme.order", ".", "invoice"),
        (None, None, "services.invoice"),
    ],
)
def test_the_package_goes_beside_the_others(
    tmp_path: Path, module: str | None, root: str | None, expected: str
) -> None:
    file = tmp_path / "backbone.yaml"
    entry = "services:\n  order:\n    account: bus\n    publishes: [Order.Created]\n"
    entry += f"    module: {module}\n" if module else ""
    file.write_text(HEAD + entry)
    written = new_service(file, NewService("invoice", "bus", root=root))
    folder = tmp_path.joinpath(*expected.split("."))
    assert load(file).services["invoice"].module == expected
    assert {folder / "service.py", folder / "__init__.py"} < set(written)
    assert tmp_path.joinpath("tests", *expected.split(".")[:-1], "test_invoice.py") in written
    run(tmp_path, sys.executable, "-c", f"import {expected}.events, {expected}.service")


def test_several_packages_with_services_need_to_be_decided_between(tmp_path: Path) -> None:
    file = tmp_path / "backbone.yaml"
    services = "".join(f"  {name}: {{account: bus, module: {name}.it}}\n" for name in ("a", "b"))
    file.write_text(f"{HEAD}services:\n{services}")
    with pytest.raises(PackageNameError, match=r"in several packages; say --root, one of a, b"):
        new_service(file, NewService("invoice", "bus", publishes=["A"]))


@pytest.mark.parametrize(
    "detail_types",
    [
        ["Invoice.Updated", "InvoiceUpdated", "Invoice-Updated"],
        ["None", "PUBLISHES", "CONSUMES", "ClassVar", "EventData", "ABC"],
        ["Yes", "2 fast", "x" * 60, "y" * 85, "z" * 100, "w" * 128],
        ['it\'s a "quoted": [type], #1 \\n', "'", '"', "\\", "it's", 'an "event"', "# no comment"],
        ["Bücher", "注文", "注" * 50, "訂單.已建立"],
        ["Event", "event"],
    ],
)
def test_any_event_types_give_modules_in_good_style(tmp_path: Path, detail_types: list[str]) -> None:
    file = tmp_path / "backbone.yaml"
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    services = {
        "shop": {"account": "bus", "publishes": detail_types},
        "sink": {"account": "bus", "subscribes": detail_types},
        "both": {"account": "bus", "publishes": ["A"], "subscribes": detail_types},
    }
    lines = [f"  {name}: {json.dumps(entry, ensure_ascii=False)}\n" for name, entry in services.items()]
    file.write_text(f"{HEAD}services:\n{''.join(lines)}")
    for name in services:
        new_service(file, NewService(name))
        events = ast.parse((tmp_path / "services" / name / "events.py").read_text()).body
        classes = [node for node in events if isinstance(node, ast.ClassDef)]
        said = [ast.literal_eval(node.body[1].value) for node in classes]  # type: ignore[attr-defined]
        assert sorted(said) == sorted([*detail_types, *(["A"] if name == "both" else [])])
        assert len({node.name for node in classes}) == len(classes)
    check_style(tmp_path, "services", "tests")


def test_after_an_error_everything_is_as_it_was(project: Path) -> None:
    (project / "tests").write_text("in the way of the folder that the test goes to")
    before = contents(project)
    with pytest.raises(
        MachineError, match=r"tests/services/test_invoice.py: cannot be written: .*; nothing was changed"
    ):
        new_service(project / "backbone.yaml", NewService("invoice", "order"))
    assert contents(project) == before
    assert not (project / "services" / "invoice").exists()


def in_files(project: Path) -> Path:
    """The project with its services in files of teams."""
    main = project / "backbone.yaml"
    (project / "teams").mkdir()
    text, order, rest = main.read_text().partition("  order-service:")
    entry, delivery, more = rest.partition("  delivery-service:")
    other, logs, tail = more.partition("logs:")
    (project / "teams" / "order.yaml").write_text(f"# the orders team's\nservices:\n{order}{entry}# the end\n")
    (project / "teams" / "delivery.yaml").write_text(f"services:\n{delivery}{other}")
    owners = "owners: {teams/order.yaml: [order], teams/delivery.yaml: [delivery]}\n"
    head = text.replace("services:\n", "")
    main.write_text(f"{head}{logs}{tail}include: [teams/*.yaml]\n{owners}")
    return main


def test_a_service_in_the_file_of_a_team(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    main = in_files(project)
    monkeypatch.chdir(project)
    before = contents(project)
    written = new_service(main, NewService("refund-service", "order", into=Path("teams/order.yaml")))
    team = (project / "teams" / "order.yaml").read_text()
    assert team.startswith(before[project / "teams" / "order.yaml"].decode().removesuffix("# the end\n"))
    assert "  refund-service:\n    account: order\n" in team
    assert main.read_bytes() == before[main]
    assert project / "teams" / "order.yaml" in written
    assert load(main).services["refund-service"].module == "services.refund"
    after = contents(project)
    for wanted, error in (
        (NewService("other-service", "delivery", into=Path("teams/order.yaml")), "which owners in"),
        (
            NewService("other-service", "order", into=Path("teams/none.yaml")),
            "--in: got teams/none.yaml; allowed: a file",
        ),
        (NewService("other-service", "order", into=Path("backbone.yaml")), "teams/delivery.yaml, teams/order.yaml"),
    ):
        with pytest.raises(BackboneError, match=re.escape(error)):
            new_service(main, wanted)
    assert contents(project) == after


def test_the_code_of_a_service_that_a_team_declares(project: Path) -> None:
    main = in_files(project)
    team = project / "teams" / "order.yaml"
    team.write_text(team.read_text() + "  refund-service: {account: order, publishes: [Refund.Made]}\n")
    before = main.read_bytes()
    new_service(main, NewService("refund-service"))
    assert team.read_text().endswith("publishes: [Refund.Made], module: services.refund}\n")
    assert main.read_bytes() == before


SEVERAL = {"buses": {"orders": {"account": "bus"}, "parcels": {"account": "delivery"}}}


def with_several_buses(project: Path) -> Path:
    """The example's file without `bus`: orders are published on one global bus, deliveries on another."""
    file = project / "backbone.yaml"
    document = yaml.safe_load(file.read_text()) | SEVERAL
    del document["bus"]
    document["services"]["order-service"]["buses"] = ["orders", "parcels"]
    document["services"]["delivery-service"]["buses"] = ["parcels", "orders"]
    file.write_text(yaml.safe_dump(document, sort_keys=False))
    return file


def test_a_service_on_one_of_several_buses_passes_its_test(project: Path) -> None:
    file = with_several_buses(project)
    backbone = str(TOOLS / "backbone")
    options = (
        "--bus",
        "parcels",
        "--bus",
        "orders",
        "--subscribes",
        "Order.Created",
        "--subscribes",
        "Delivery.Updated",
    )
    run(project, backbone, "new-service", "audit", "--account", "order", *options)
    assert load(file).services["audit"].buses == ("parcels", "orders")
    run(project, backbone, "new-service", "desk", "--account", "bus", "--bus", "parcels")
    assert [one.called for one in load(file).services["desk"].subscribes] == ["Delivery.Updated"]
    run(project, backbone, "check")
    assert "3 passed" in run(project, sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/services")


@pytest.mark.parametrize(
    ("buses", "subscribes", "message"),
    [
        ((), (), "--bus: is missing, and there are several global buses; allowed: orders, parcels"),
        (("order",), (), "--bus: got order; allowed: orders, parcels (did you mean 'orders'?)"),
        (
            ("orders",),
            ("Delivery.Updated",),
            "--subscribes: Delivery.Updated is published on parcels, which the service would not be on; give "
            "--bus orders --bus parcels",
        ),
    ],
)
def test_the_bus_of_a_new_service_must_be_right(
    project: Path, buses: tuple[str, ...], subscribes: tuple[str, ...], message: str
) -> None:
    file = with_several_buses(project)
    before = contents(project)
    with pytest.raises(ScaffoldError) as caught:
        new_service(file, NewService("audit", "order", subscribes=subscribes, buses=buses))
    assert message in str(caught.value)
    assert contents(project) == before
