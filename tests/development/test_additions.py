"""Entries added to files: what is there stays as it is, and nothing is written when anything is wrong."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from backbone.development.additions import NewAccount, add_account, add_subscription
from backbone.errors import BackboneError
from backbone.topology import load
from tests.cli.command import BACKBONE, run

CASES = yaml.safe_load(Path(__file__).with_name("additions.yaml").read_text())
HEAD = """\
# the platform team's
name: shop
region: eu-west-1
accounts:
  bus: {id: "111111111111", deploy_role: deploy}   # the hub
  order: {id: "222222222222", deploy_role: deploy}
bus: {account: bus}
"""
A = "  a: {account: order, publishes: [A.Made, A.Gone]}\n"
TAIL = "# the end"


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def contents() -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in Path().rglob("*") if path.is_file()}


def services(text: str) -> str:
    return textwrap.indent(text, "  ")


@pytest.mark.parametrize("included", [False, True], ids=["main", "included"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_subscription(case: dict[str, Any], included: bool) -> None:
    main, team = Path("backbone.yaml"), Path("teams/b.yaml")
    before = f"{HEAD}services:\n{A}"
    if included:
        team.parent.mkdir()
        main.write_text(f"{before}include: [teams/*.yaml]\nowners: {{teams/*.yaml: [order]}}\n")
        target, head = team, "services:\n"
    else:
        target, head = main, before
    target.write_text(f"{head}{services(case['before'])}{TAIL}")
    there = contents()
    if "error" in case:
        with pytest.raises(BackboneError) as caught:
            add_subscription(main, "b", "A.Made", case.get("sources", ()))
        assert case["error"] in str(caught.value)
        assert contents() == there
        return
    written, warnings = add_subscription(main, "b", "A.Made", case.get("sources", ()))
    assert (written, warnings) == (target, [])
    expected = f"{head}{services(case['after'])}{TAIL}"
    assert contents() == there | {str(target): expected.encode()}
    assert load(main).services["b"].subscribes[-1].detail_type == "A.Made"


SEVERAL = "buses: {mail: {account: bus}, news: {account: order}}\n"


@pytest.mark.parametrize(
    ("before", "buses", "after"),
    [
        ("{account: order}", ["mail"], "{account: order, buses: [global, mail], subscribes: [A.Made]}"),
        (
            "{account: order, buses: [mail]}",
            ["global"],
            "{account: order, buses: [mail, global], subscribes: [A.Made]}",
        ),
        ("{account: order, buses: [mail]}", ["mail"], "{account: order, buses: [mail], subscribes: [A.Made]}"),
        (
            "\n    account: order\n    buses:\n      - news # first\n",
            ["mail", "global"],
            "\n    account: order\n    buses:\n      - news # first\n      - mail\n      - global\n"
            "    subscribes: [A.Made]\n",
        ),
    ],
)
def test_a_subscription_on_further_buses(before: str, buses: list[str], after: str) -> None:
    main = Path("backbone.yaml")
    head = f"{HEAD}{SEVERAL}services:\n{A}  b: "
    main.write_text(f"{head}{before}\n")
    add_subscription(main, "b", "A.Made", buses=buses)
    assert main.read_text().rstrip("\n") == f"{head}{after}".rstrip("\n")


def test_a_subscription_on_a_bus_that_there_is_none_of() -> None:
    main = Path("backbone.yaml")
    main.write_text(f"{HEAD}{SEVERAL}services:\n{A}  b: {{account: order}}\n")
    there = contents()
    with pytest.raises(
        BackboneError, match=r"--bus: got 'mial'; allowed: global, mail, news \(did you mean 'mail'\?\)"
    ):
        add_subscription(main, "b", "A.Made", buses=["mial"])
    assert contents() == there


def test_a_warning_about_the_entry_alone() -> None:
    main = Path("backbone.yaml")
    main.write_text(f"{HEAD}services:\n{A}  b: {{account: order, subscribes: [A.Mad]}}\n")
    _, warnings = add_subscription(main, "b", "A.Gon")
    assert [warning.partition(";")[0] for warning in warnings] == [
        "backbone.yaml:10: services.b.subscribes[1]: no other service publishes 'A.Gon' (did you mean 'A.Gone'?)"
    ]


def test_line_ends_a_byte_order_mark_and_a_link_stay() -> None:
    Path("real").mkdir()
    text = f"\ufeff{HEAD}services:\n{A}  b:\n    account: order\n".replace("\n", "\r\n")
    Path("real/backbone.yaml").write_bytes(text.encode())
    main = Path("backbone.yaml")
    main.symlink_to("real/backbone.yaml")
    add_subscription(main, "b", "A.Made")
    assert main.is_symlink()
    assert main.read_bytes() == f"{text}    subscribes: [A.Made]\r\n".encode()


@given(st.text(max_size=12), st.lists(st.text(max_size=5), max_size=2))
def test_odd_names_of_events_and_sources(detail_type: str, sources: list[str]) -> None:
    main = Path("backbone.yaml")
    main.write_text(f"{HEAD}services:\n{A}  b: {{account: order, subscribes: [A.Gone]}}\n")
    before = contents()
    try:
        add_subscription(main, "b", detail_type, sources)
    except BackboneError:
        assert contents() == before
        return
    added = load(main).services["b"].subscribes[-1]
    assert (added.detail_type, added.source_words) == (detail_type, list(dict.fromkeys(sources)))


ENVIRONMENTS = """\
environments:
  dev:
    name: shop-dev
    accounts: {bus: {id: "333333333333"}}   # cheap
  prod: {layout: per-account}
"""


@pytest.mark.parametrize(
    ("tail", "account", "expected"),
    [
        (
            "",
            NewAccount("new", ["444444444444"]),
            {"accounts:\n": None, "  order: {id": '  new: {id: "444444444444", deploy_role: deploy}\n'},
        ),
        (
            "",
            NewAccount("new", ["444444444444"], profile="me"),
            {"  order: {id": '  new: {id: "444444444444", profile: me}\n'},
        ),
        (
            "",
            NewAccount("new", ["444444444444"], deploy_role="ci/on"),
            {"  order: {id": '  new: {id: "444444444444", deploy_role: "ci/on"}\n'},
        ),
        (
            ENVIRONMENTS,
            NewAccount("new", ["444444444444"]),
            {"  order: {id": '  new: {id: "444444444444", deploy_role: deploy}\n'},
        ),
    ],
)
def test_an_account(tail: str, account: NewAccount, expected: dict[str, str | None]) -> None:
    main = Path("backbone.yaml")
    before = f"{HEAD}services:\n{A}{tail}"
    main.write_text(before)
    assert add_account(main, account) == [main]
    lines = before.splitlines(keepends=True)
    for start, added in expected.items():
        number = next(number for number, line in enumerate(lines, 1) if line.startswith(start))
        lines[number:number] = [added] if added else []
    assert main.read_text() == "".join(lines)


def test_an_account_that_is_another_in_each_environment() -> None:
    main, prod = Path("backbone.yaml"), Path("backbone.prod.yaml")
    text = f"{HEAD}services:\n{A}{ENVIRONMENTS}"
    main.write_text(text)
    prod.write_text("# production\nlogs: {retention_days: 90}\n")
    account = NewAccount("new", ["dev=444444444444", "prod=555555555555"])
    assert add_account(main, account) == [main, prod]
    assert main.read_text() == text.replace("deploy}\nbus:", "deploy}\n  new: {deploy_role: deploy}\nbus:").replace(
        '{bus: {id: "333333333333"}}', '{bus: {id: "333333333333"}, new: {id: "444444444444"}}'
    )
    assert prod.read_text() == '# production\nlogs: {retention_days: 90}\naccounts: {new: {id: "555555555555"}}\n'
    add_account(main, NewAccount("more", ["prod=666666666666", "dev=777777777777"]))
    found = {name: load(main, environment=name).accounts["more"].id for name in ("dev", "prod")}
    assert found == {"dev": "777777777777", "prod": "666666666666"}
    prod.unlink()
    main.write_text(text)
    assert add_account(main, account) == [main]
    assert 'prod: {layout: per-account, accounts: {new: {id: "555555555555"}}}\n' in main.read_text()


@pytest.mark.parametrize(
    ("text", "account", "error"),
    [
        ("", NewAccount("order", ["444444444444"]), "accounts.order: the file has it already; choose another name"),
        ("", NewAccount("new", ["222222222222"]), "accounts.new.id: got '222222222222', the id of 'order' already"),
        ("", NewAccount("new", ["44444444444"]), "accounts.new.id: got '44444444444'; allowed: 12 digits in quotes"),
        ("", NewAccount("new", ["444444444444\n"]), "accounts.new.id: got '444444444444\\n'; allowed: 12 digits"),
        ("", NewAccount("New", ["444444444444"]), "got 'New'; allowed: a lower-case letter, then a-z 0-9 -"),
        ("", NewAccount("a: b", ["444444444444"]), "got 'a: b'; allowed: a lower-case letter"),
        ("", NewAccount("", ["444444444444"]), "got ''; allowed: a lower-case letter"),
        ("", NewAccount("new", ["444444444444"], "a b"), "accounts.new.deploy_role: got 'a b'; allowed: a role's name"),
        ("", NewAccount("new", ["444444444444"], "a", "b"), "accounts.new.profile: given together with deploy_role"),
        ("", NewAccount("new", ["dev=444444444444"]), "--id: got the environment 'dev'; allowed: none"),
        ("", NewAccount("new", ["444444444444", "555555555555"]), "--id: got several for the same place"),
        (
            ENVIRONMENTS,
            NewAccount("new", ["dev=444444444444"]),
            "--id: is missing for prod; give ENVIRONMENT=ID for each",
        ),
        (ENVIRONMENTS, NewAccount("new", ["dev=444444444444", "5"]), "--id: got several for the same place"),
        (ENVIRONMENTS, NewAccount("new", ["dve=444444444444"]), "--id: got the environment 'dve'; allowed: dev, prod"),
        ("tags: [", NewAccount("new", ["444444444444"]), "not YAML"),
        ("tags: 5", NewAccount("new", ["444444444444"]), "tags: got 5; allowed: a mapping"),
    ],
)
def test_an_account_that_cannot_be_added(text: str, account: NewAccount, error: str) -> None:
    main = Path("backbone.yaml")
    main.write_text(f"{HEAD}services:\n{A}{text}")
    before = contents()
    with pytest.raises(BackboneError) as caught:
        add_account(main, account)
    assert error in str(caught.value)
    assert contents() == before


def test_accounts_in_braces() -> None:
    main = Path("backbone.yaml")
    main.write_text('name: x\nregion: eu-west-1\naccounts: {bus: {id: "111111111111"}}  # all\nbus: {account: bus}\n')
    add_account(main, NewAccount("new", ["444444444444"]))
    assert 'accounts: {bus: {id: "111111111111"}, new: {id: "444444444444"}}  # all\n' in main.read_text()


CODE = """\
def build(service):
    service.subscribe("a-made", "A.Other", to=first)
    service.subscribe("more", "A.More", to=service.queue("jobs"))
    service.subscribe("again", "A.Again", to=first)
"""


@pytest.mark.parametrize(
    ("code", "lines"),
    [
        (
            CODE,
            [
                'service.subscribe("a-made-2", "A.Made", to=first)',
                'service.subscribe("a-made-2", "A.Made", to=service.queue("jobs"))',
            ],
        ),
        ("def build(owner): pass", ['owner.subscribe("a-made", "A.Made", to=on_event)']),
        ("def build(", ['service.subscribe("a-made", "A.Made", to=on_event)']),
        (None, ['service.subscribe("a-made", "A.Made", to=on_event)']),
    ],
    ids=["receivers", "no subscription yet", "broken", "no file"],
)
def test_the_lines_of_code_that_are_to_add(project: Path, code: str | None, lines: list[str]) -> None:
    (project / "backbone.yaml").write_text(f"{HEAD}services:\n{A}  b: {{account: order, module: services.b}}\n")
    (project / "services" / "b").mkdir(parents=True)
    if code is not None:
        (project / "services" / "b" / "service.py").write_text(code)
    _, errors = run(BACKBONE, "add-subscription", "b", "A.Made", folder=project)
    said = errors.splitlines()
    assert said[0] == "next: subscribe to it in services/b/service.py, then run `backbone diff`"
    assert said[1 : len(lines) + 1] == [f"  {line}" for line in lines]
    assert said[len(lines) + 1 :] == ["(one of these lines, by what is to receive it)"] * (len(lines) > 1)


def test_the_commands(project: Path) -> None:
    (project / "teams").mkdir()
    (project / "teams" / "b.yaml").write_text("services:\n  b:\n    account: order\n")
    (project / "backbone.yaml").write_text(f"{HEAD}include: [teams/*.yaml]\nservices:\n{A}")
    text, errors = run(BACKBONE, "add-subscription", "b", "A.Made", "--source", "a", folder=project)
    assert (text, errors.startswith("next: run `backbone diff`")) == ("teams/b.yaml\n", True)
    assert (project / "teams" / "b.yaml").read_text().endswith("    subscribes: [{detail_type: A.Made, source: a}]\n")
    text, _ = run(BACKBONE, "add-account", "new", "--id", "444444444444", "--json", folder=project)
    assert text == '[\n  "backbone.yaml"\n]\n'
    _, errors = run(BACKBONE, "add-account", "new", "--id", "555555555555", folder=project, status=2)
    assert errors == "error: accounts.new: the file has it already; choose another name\n"
    _, errors = run(BACKBONE, "add-subscription", "b", "A.Maid", folder=project)
    assert errors.startswith("warning: teams/b.yaml:4: services.b.subscribes[1]: no other service publishes 'A.Maid'")
