"""Files of teams: what they may declare, what joins them, and where their mistakes are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft7Validator

from backbone.topology import TopologyError, json_schema, load, parse
from tests.conftest import EXAMPLES

CASES = yaml.safe_load(Path(__file__).with_name("include.yaml").read_text())
MAIN = """\
name: shop
region: eu-west-1
accounts:
  bus: {id: "111111111111"}
  order: {id: "222222222222"}
  delivery: {id: "333333333333"}
bus: {account: bus}
# the teams
"""
A = "services: {a: {account: order, publishes: [A.Made]}}\n"
B = "services: {b: {account: delivery, subscribes: [A.Made]}}\n"


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, in which the test is."""
    folder = tmp_path / "project"
    folder.mkdir()
    (tmp_path / "outside.yaml").write_text(A)
    monkeypatch.chdir(folder)
    return folder


def write(main: str, files: dict[str, Any]) -> Path:
    """Write a file and those beside it."""
    for name, text in files.items():
        file = Path(name)
        file.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(text, dict):
            file.symlink_to(text["link"])
        else:
            file.write_text(text)
    Path("backbone.yaml").write_text(f"{MAIN}{main}\n")
    return Path("backbone.yaml")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_what_is_wrong_is_answered_with_its_file_and_line(case: dict[str, Any]) -> None:
    file = write(case["main"], case.get("files", {}))
    with pytest.raises(TopologyError) as caught:
        load(file, environment=case.get("environment"))
    got = str(caught.value).splitlines()
    assert len(got) == len(case["errors"]), got
    for line, expected in zip(got, case["errors"], strict=True):
        assert expected in line


def test_files_count_as_if_they_stood_in_the_file() -> None:
    file = write("include: [teams/*.yaml]\nservices: {z: {account: bus}}", {"teams/b.yaml": B, "teams/a.yaml": A})
    topology = load(file)
    whole = parse(f"{MAIN}services:\n  z: {{account: bus}}\n  {A[11:-2]}\n  {B[11:-2]}")
    assert [*topology.services.items()] == [*whole.services.items()]
    assert topology.warnings == ()
    assert topology.files == tuple(Path.cwd() / name for name in ("backbone.yaml", "teams/a.yaml", "teams/b.yaml"))


def test_warnings_name_the_file_of_the_team() -> None:
    file = write(
        "include: [teams/*.yaml]\nowners: {teams/*.yaml: ['*'], teams/soon.yaml: [order]}",
        {"teams/a.yaml": A, "teams/b.yaml": "services:\n  b:\n    account: delivery\n    subscribes: [A.Mde]\n"},
    )
    got = [str(warning) for warning in load(file).warnings]
    assert got == [
        "backbone.yaml:10: owners.teams/soon.yaml: no included file has this name; it counts as soon as there is one "
        "(did you mean 'teams/b.yaml'?)",
        "teams/b.yaml:4: services.b.subscribes[0]: no other service publishes 'A.Mde' (did you mean 'A.Made'?); "
        "nothing arrives until one does",
    ]


@pytest.mark.parametrize(
    ("patterns", "found"),
    [
        ("[teams/a.yaml]", ["a"]),
        ("[./teams/a.yaml]", ["a"]),
        ("[teams/*.yaml]", ["a", "b"]),
        ("['**/*.yaml']", ["a", "b", "c"]),
        ("['teams/**/*.yaml']", ["a", "b", "c"]),
        ("[teams/deep/c.yaml, teams/a.yaml, teams/*.yaml]", ["a", "b", "c"]),
        ("[teams/?.yml]", ["d"]),
        ("['teams/[!b].yaml']", ["a"]),
        ("[.hidden/*.yaml]", ["e"]),
    ],
)
def test_patterns(patterns: str, found: list[str]) -> None:
    names = ("teams/a.yaml", "teams/b.yaml", "teams/deep/c.yaml", "teams/d.yml", ".hidden/e.yaml", "teams/.#a.yaml")
    each = {name: f"services: {{{Path(name).stem[-1]}: {{account: order}}}}\n" for name in names}
    file = write("", each)
    Path("backbone.yaml").rename("main.yml")
    text = f"{MAIN}include: {patterns}\n"
    assert sorted(parse(text, file="main.yml").services) == found
    assert file.name not in str(found)


def test_a_byte_order_mark_and_a_link_within_the_folder() -> None:
    write("include: [teams/*.yaml]", {"real/a.yaml": A, "teams/a.yaml": {"link": "../real/a.yaml"}})
    Path("teams/b.yaml").write_bytes(b"\xef\xbb\xbf" + B.encode())
    assert [*load(Path("backbone.yaml")).services] == ["a", "b"]


@pytest.mark.parametrize(
    ("owners", "fine"),
    [
        ("{teams/a.yaml: [order]}", True),
        ("{teams/*.yaml: [order]}", True),
        ("{teams/*.yaml: [delivery], teams/a.yaml: [ord*]}", True),
        ("{'**/*.yaml': ['*']}", True),
        ("{teams/a.yaml: [delivery]}", False),
        ("{teams/b.yaml: [order]}", False),
        ("{teams/a.yaml: []}", False),
    ],
)
def test_a_file_may_use_the_accounts_of_all_patterns_that_it_matches(owners: str, fine: bool) -> None:
    file = write(f"include: [teams/*.yaml]\nowners: {owners}", {"teams/a.yaml": A})
    if fine:
        assert [*load(file).services] == ["a"]
        return
    with pytest.raises(TopologyError, match=r"teams/a\.yaml:1: services\.a\.account: got 'order', which owners"):
        load(file)


def test_the_file_itself_may_use_all_accounts() -> None:
    write(
        "include: [teams/*.yaml]\nowners: {teams/a.yaml: [order]}\nservices: {z: {account: bus}}", {"teams/a.yaml": A}
    )
    assert sorted(load(Path("backbone.yaml")).services) == ["a", "z"]


def test_a_team_hides_its_own_events() -> None:
    write("include: [teams/*.yaml]\nconfidential: [B.Made]", {"teams/a.yaml": f"{A}confidential: [A.Made]\n"})
    assert load(Path("backbone.yaml")).confidential == ("B.Made", "A.Made")


def test_a_team_hides_an_event_that_it_publishes_under_another_source() -> None:
    said = "services: {a: {account: order, publishes: [{detail_type: A.Made, source: old}]}}\nconfidential: [A.Made]\n"
    write("include: [teams/*.yaml]", {"teams/a.yaml": said})
    assert load(Path("backbone.yaml")).confidential == ("A.Made",)


def test_the_main_files_word_on_an_environment_prevails() -> None:
    said = "services: {a: {log_retention_days: 30, retry: {max_attempts: 3}}}"
    file = write(
        "include: [teams/*.yaml]\nenvironments: {dev: {services: {a: {log_retention_days: 1}}}, prod: {name: other}}",
        {"teams/a.yaml": A, "teams/a.dev.yaml": said},
    )
    dev, prod = (load(file, environment=name) for name in ("dev", "prod"))
    assert (dev.retention_days("a"), dev.retry_of("a").max_attempts) == (1, 3)
    assert (prod.retention_days("a"), prod.retry_of("a").max_attempts) == (7, 185)
    assert [path.name for path in dev.files] == ["backbone.yaml", "a.yaml", "a.dev.yaml"]
    assert [path.name for path in prod.files] == ["backbone.yaml", "a.yaml"]


def test_texts_that_are_not_saved_yet() -> None:
    file = write("include: [teams/*.yaml]", {"teams/a.yaml": A})
    topology = load(file, unsaved={Path("teams/a.yaml"): B})
    assert [*topology.services] == ["b"]
    with pytest.raises(TopologyError, match=r"teams/a\.yaml:2: services\.b\.x: no such key"):
        load(file, unsaved={Path("teams/a.yaml"): "services:\n  b: {account: bus, x: 1}"})


def test_the_schema_of_a_teams_file() -> None:
    schema = Draft7Validator(json_schema.json_schema("team"))
    Draft7Validator.check_schema(schema.schema)
    assert schema.is_valid(yaml.safe_load(f"{A}confidential: [A.Made]"))
    for text in ("accounts: {}", "services: [a]", "services: {a: {}}", "confidential: x", "[]"):
        assert not schema.is_valid(yaml.safe_load(text)), text


@given(
    st.dictionaries(
        st.sampled_from(["services", "confidential", "include", "x"]),
        st.recursive(
            st.none() | st.integers() | st.text(max_size=4),
            lambda inner: (
                st.lists(inner, max_size=2)
                | st.dictionaries(st.sampled_from(["a", "account", "publishes"]), inner, max_size=2)
            ),
            max_leaves=5,
        ),
        min_size=1,
        max_size=3,
    )
)
def test_no_file_of_a_team_ends_in_anything_but_an_answer(said: dict[str, Any]) -> None:
    file = write("include: [teams/*.yaml]\nowners: {teams/*.yaml: [order]}", {"teams/a.yaml": yaml.safe_dump(said)})
    try:
        problems = list(load(file).warnings)
    except TopologyError as error:
        problems = error.problems
        assert problems
    assert all(problem.file in ("teams/a.yaml", "backbone.yaml") and problem.line for problem in problems)


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_in_files_is_the_example(name: str) -> None:
    """Each service in a file of its own."""
    document = yaml.safe_load(EXAMPLES[name].read_text())
    whole = parse(yaml.safe_dump(document))
    for service, entry in document.pop("services").items():
        write("", {f"teams/{service}.yaml": yaml.safe_dump({"services": {service: entry}})})
    document["owners"] = {f"teams/{service}.yaml": [entry.account] for service, entry in whole.services.items()}
    Path("backbone.yaml").write_text(yaml.safe_dump({**document, "include": ["teams/*.yaml"]}))
    found = load(Path("backbone.yaml"))
    assert dict(found.services) == dict(whole.services)
    assert found.model_dump(exclude={"include", "owners"}) == whole.model_dump(exclude={"include", "owners"})


@given(st.lists(st.one_of(st.text(max_size=12), st.text("./*?[]!a-\\: \0", max_size=12), st.just("a" * 300))))
def test_no_pattern_ends_in_anything_but_an_answer(patterns: list[str]) -> None:
    names = [f"{pattern}.yaml" for pattern in patterns]
    said = {"include": names, "owners": {name: ["*"] for name in names}}
    file = write("", {"teams/a.yaml": A})
    file.write_text(f"{MAIN}{yaml.safe_dump(said)}")
    try:
        problems = list(load(file).warnings)
    except TopologyError as error:
        problems = error.problems
        assert problems
    assert all(problem.message and problem.line for problem in problems)


def test_a_part_by_itself_is_answered_with_the_file_that_it_belongs_to() -> None:
    main = write("", {"teams/a.yaml": A, "teams/a.dev.yaml": "services: {a: {publishes: [B.Made]}}\n", "other.yaml": A})
    main.write_text(f"{MAIN}environments: {{dev: {{}}}}\ninclude: [teams/*.yaml]\n")
    main.with_name("backbone.dev.yaml").write_text("accounts: {bus: {id: '444444444444'}}\n")
    answer = "is a part of backbone.yaml, and not valid by itself; give the name of that file"
    expected = {"teams/a.yaml": "", "teams/a.dev.yaml": " and --env dev", "backbone.dev.yaml": " and --env dev"}
    for name, option in expected.items():
        with pytest.raises(TopologyError) as error:
            load(Path(name))
        assert str(error.value) == f"{name}: {answer}{option}"
    with pytest.raises(TopologyError, match=r"^other\.yaml:1: accounts: is missing"):
        load(Path("other.yaml"))
