"""The mutation test: its edits are edits, and what becomes of them is told for the right reason."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from mutants import harmless
from mutants.bases import BASES, Synthesized, synthesize
from mutants.documents import JSON, REMOVED, Rename, changed, format_change
from mutants.edits import KINDS, Edit
from mutants.scenario import warm_functions
from mutants.verdicts import Judge

DOCUMENT = {"a": [{"b": 1}, 2], "c": '{"d":[3,4]}'}


@pytest.mark.parametrize(
    ("path", "after", "expected"),
    [
        (("a", 0, "b"), 5, {"a": [{"b": 5}, 2], "c": '{"d":[3,4]}'}),
        (("a", 1), REMOVED, {"a": [{"b": 1}], "c": '{"d":[3,4]}'}),
        (("a",), REMOVED, {"c": '{"d":[3,4]}'}),
        (("a",), Rename("e"), {"e": [{"b": 1}, 2], "c": '{"d":[3,4]}'}),
        (("new",), None, {**DOCUMENT, "new": None}),
        (("c", JSON, "d", 0), REMOVED, {"a": [{"b": 1}, 2], "c": '{"d":[4]}'}),
        (("c", JSON), [], {"a": [{"b": 1}, 2], "c": "[]"}),
    ],
)
def test_one_place_is_changed(path: tuple[str | int, ...], after: Any, expected: Any) -> None:
    before = {"a": [{"b": 1}, 2], "c": '{"d":[3,4]}'}
    assert changed(before, path, after) == expected
    assert before == DOCUMENT


def test_what_differs_in_a_long_text_is_shown() -> None:
    long = "x" * 200
    assert format_change(f"{long}one{long}", f"{long}other{long}").count("other") == 1
    assert format_change(1, REMOVED) == "1 -> nothing"


@pytest.fixture(scope="module")
def bases(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Synthesized]:
    workspace = tmp_path_factory.mktemp("mutants")
    for base in BASES:
        synthesize(base, workspace)
    return {base.name: Synthesized(base, workspace) for base in BASES}


def test_every_edit_changes_one_place_and_every_kind_occurs(bases: dict[str, Synthesized]) -> None:
    for synthesized in bases.values():
        for edit in synthesized.edits:
            after = changed(synthesized.stacks, edit.path, edit.after)
            assert after != synthesized.stacks, edit
            assert edit.address in edit.line(synthesized.stacks)
    assert {edit.kind for synthesized in bases.values() for edit in synthesized.edits} == {*KINDS}


def test_every_resource_and_argument_is_edited(bases: dict[str, Synthesized]) -> None:
    for synthesized in bases.values():
        edited = {edit.path[:5] for edit in synthesized.edits}
        for stack, document in synthesized.stacks.items():
            for kind, named in document.get("resource", {}).items():
                for name, body in named.items():
                    for argument in body.keys() - {"//"}:
                        assert (stack, "resource", kind, name, argument) in edited


def test_every_reason_holds_for_an_edit(bases: dict[str, Synthesized]) -> None:
    edits = [edit for synthesized in bases.values() for edit in synthesized.edits]
    for entry in harmless.HARMLESS:
        assert any(entry.covers(edit) for edit in edits), entry
        assert entry.reason[0].islower() or entry.reason.startswith("AWS")


@pytest.fixture(scope="module")
def judge(bases: dict[str, Synthesized]) -> Iterator[Judge]:
    with warm_functions():
        yield Judge(bases["example"])


VERDICTS = {
    ("global-bus_policy_117A2459", "policy", "broken"): ("found", "BB501"),
    ("services_order-service_api_grant-orders_691D4424", "policy.Statement[0].Action[1]", "element removed"): (
        "happened",
        "denied",
    ),
    ("services_order-service_api_EA4442CE", "environment.variables.ORDERS_TABLE", "emptied"): (
        "happened",
        "http-error",
    ),
    ("global-bus_archive_DEE3EB87", "event_pattern", "added"): ("happened", "archived"),
    ("global-bus", "description", "misspelt"): ("unseen", ""),
    ("(manifest)", "region", "misspelt"): ("found", "it was changed since"),
    ("order-service.zip", "services/order/handlers.py", "syntax error"): ("found", "BB318"),
}


def _edit(synthesized: Synthesized, name: str, argument: str, what: str) -> Edit:
    return next(
        edit
        for edit in synthesized.edits
        if (edit.address.rpartition(".")[2] == name or name in edit.path)
        and edit.argument == argument
        and edit.what == what
    )


@pytest.mark.parametrize("case", VERDICTS)
def test_what_becomes_of_an_edit(bases: dict[str, Synthesized], judge: Judge, case: tuple[str, str, str]) -> None:
    how, words = VERDICTS[case]
    verdict = judge.judge(_edit(bases["example"], *case))
    assert (verdict.how, words in verdict.words) == (how, True), verdict


def test_a_defect_is_told_apart_from_an_error(
    bases: dict[str, Synthesized], judge: Judge, monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing: dict[str, str] = {}
    monkeypatch.setattr(judge, "_read", lambda *_: nothing["missing"])
    verdict = judge.judge(bases["example"].edits[0])
    assert (verdict.how, "KeyError" in verdict.words) == ("traceback", True)
