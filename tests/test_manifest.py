"""The manifest that synth writes beside the stacks: read back, refused, and compared with the files of today."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from backbone import __version__, manifest
from backbone.manifest import Manifest, ManifestBus, ManifestError, ManifestService, ManifestStack, ManifestSubscription
from backbone.sources import digest, runtime_files

ARN = "arn:aws:events:eu-west-1:111111111111:event-bus/shop-"


def made(**given: Any) -> Manifest:
    service = ManifestService(
        account="bus",
        source="s",
        publishes=("T",),
        subscribes=(ManifestSubscription(detail_type="U"), ManifestSubscription(detail_type="V", source="other")),
        local_bus=f"{ARN}s",
        module="mine.made",
        folders=("mine/made", "mine/common"),
    )
    values: dict[str, Any] = {
        "backbone": "shop",
        "region": "eu-west-1",
        "partition": "aws",
        "layout": "single",
        "routing": "broadcast",
        "accounts": {"bus": "111111111111"},
        "global_bus": ManifestBus(account="bus", arn=f"{ARN}global"),
        "services": {"s": service},
        "stacks": (ManifestStack(name="backbone", accounts=("bus",)),),
        "file": "backbone.yaml",
        "sources": {},
        "layers": {f"{ARN}layer": ("aws-lambda-powertools>=3",)},
    }
    return Manifest(**values | given)


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    manifest.write(made(), tmp_path)
    assert manifest.read(tmp_path) == made()
    text = (tmp_path / "backbone.json").read_text()
    assert json.loads(text)["tool"] == __version__
    (tmp_path / "backbone.json").write_text(json.dumps(json.loads(text), separators=(",", ":")))
    assert manifest.read(tmp_path) == made()
    manifest.write(manifest.read(tmp_path), tmp_path)
    assert (tmp_path / "backbone.json").read_text() == text


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda one: one | {"format": 2}, "got format 2; this is event-backbone"),
        (lambda one: one | {"format": "1"}, "is not as synth wrote it: format: Input should be 1"),
        (lambda one: one | {"layout": "round"}, "is not as synth wrote it: layout: Input should be 'single' or"),
        (lambda one: one | {"more": 1}, "is not as synth wrote it: more: Extra inputs are not permitted"),
        (
            lambda one: {k: v for k, v in one.items() if k != "stacks"},
            "is not as synth wrote it: stacks: Field required",
        ),
        (lambda one: one | {"services": {"s": {}}}, "is not as synth wrote it: services.s.account: Field required"),
        (lambda one: one | {"region": "eu-west-2"}, "is not as synth wrote it: it was changed since, or damaged"),
        (lambda one: one | {"digest": 5}, "is not as synth wrote it: it was changed since, or damaged"),
        (lambda _: [], "is not as synth wrote it: it is not a JSON object; run `backbone synth` to write it anew"),
    ],
)
def test_a_manifest_that_is_not_as_synth_wrote_it(edit: Any, message: str, tmp_path: Path) -> None:
    manifest.write(made(), tmp_path)
    file = tmp_path / "backbone.json"
    file.write_text(json.dumps(edit(json.loads(file.read_text()))))
    with pytest.raises(ManifestError) as caught:
        manifest.read(tmp_path)
    assert str(caught.value).startswith(f"{file}: {message}")
    assert "`backbone synth`" in str(caught.value)


@pytest.mark.parametrize("data", [b"", b"{", b'{"format": 1', b"\xff\xfe", b"[" * 100_000])
def test_a_manifest_that_is_no_json(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "backbone.json").write_bytes(data)
    with pytest.raises(ManifestError, match="it is not a JSON object; run `backbone synth` to write it anew"):
        manifest.read(tmp_path)


def test_a_manifest_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=r"backbone\.json: there is no such file; run `backbone synth` first"):
        manifest.read(tmp_path)
    (tmp_path / "backbone.json").mkdir()
    with pytest.raises(ManifestError, match=r"backbone\.json: cannot be read: Is a directory"):
        manifest.read(tmp_path)


FILES = {
    "backbone.yaml": "name: shop",
    "mine/__init__.py": "",
    "mine/made/service.py": "one\n",
    "mine/made/handlers.py": "two\n",
    "mine/made/data.csv": "three\n",
    "mine/common/envelope.py": "four\n",
    "other.py": "not of the module",
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.fixture
def synthesized(project: Path) -> Manifest:
    sources = {name: project / name for name in FILES if name != "other.py"}
    return made(sources={name: digest(file) for name, file in (sources | runtime_files()).items()})


@pytest.mark.parametrize("path", [one for one in FILES if one != "other.py"])
def test_a_file_that_changed_or_is_gone(path: str, project: Path, synthesized: Manifest) -> None:
    assert manifest.stale(synthesized, project) == []
    (project / path).write_text("changed")
    assert [str(one) for one in manifest.stale(synthesized, project)] == [f"{path} (changed)"]
    (project / path).unlink()
    assert [str(one) for one in manifest.stale(synthesized, project)] == [f"{path} (gone)"]


@pytest.mark.parametrize("path", ["mine/made/more.py", "mine/made/deep/text.txt", "mine/common/__init__.py"])
def test_a_file_that_was_added(path: str, project: Path, synthesized: Manifest) -> None:
    (project / path).parent.mkdir(exist_ok=True)
    (project / path).write_text("")
    assert [str(one) for one in manifest.stale(synthesized, project)] == [f"{path} (added)"]


def test_files_that_are_included(project: Path, synthesized: Manifest) -> None:
    for name in ("a.yaml", "a.prod.yaml", "a.dev.yaml", "b.yaml"):
        (project / "teams").mkdir(exist_ok=True)
        (project / "teams" / name).write_text(f"# {name}")
    sources = {name: digest(project / name) for name in ("teams/a.yaml", "teams/a.prod.yaml", "teams/b.yaml")}
    known = {"sources": synthesized.sources | sources, "include": ("teams/*.yaml",), "environment": "prod"}
    included = synthesized.model_copy(update=known)
    assert manifest.stale(included, project) == []
    (project / "teams" / "a.dev.yaml").write_text("of another environment")
    assert manifest.stale(included, project) == []
    (project / "teams" / "a.prod.yaml").write_text("changed")
    (project / "teams" / "b.yaml").unlink()
    (project / "teams" / "c.yaml").write_text("new")
    found = [str(change) for change in manifest.stale(included, project)]
    assert found == ["teams/a.prod.yaml (changed)", "teams/b.yaml (gone)", "teams/c.yaml (added)"]


@pytest.mark.parametrize("path", ["other.py", "mine/made/tests/x.py", "mine/made/test_x.py", "mine/made/__pycache__/x"])
def test_files_that_make_nothing_stale(path: str, project: Path, synthesized: Manifest) -> None:
    (project / path).parent.mkdir(exist_ok=True)
    (project / path).write_text("else")
    assert manifest.stale(synthesized, project) == []


def test_another_runtime_makes_the_stacks_stale(project: Path, synthesized: Manifest) -> None:
    sources = synthesized.sources | {"backbone/runtime/outbox.py": "else", "backbone/runtime/old.py": "gone"}
    found = manifest.stale(synthesized.model_copy(update={"sources": sources}), project)
    assert list(map(str, found)) == ["backbone/runtime/old.py (gone)", "backbone/runtime/outbox.py (changed)"]


def test_only_line_ends_of_code_differ(project: Path, synthesized: Manifest) -> None:
    (project / "mine/made/handlers.py").write_bytes(b"two\r\n")
    (project / "mine/made/data.csv").write_bytes(b"three\r\n")
    assert [str(one) for one in manifest.stale(synthesized, project)] == ["mine/made/data.csv (changed)"]


def test_a_module_that_is_installed_elsewhere(
    project: Path, synthesized: Manifest, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (project / "mine").rename(elsewhere / "mine")
    assert len(manifest.stale(synthesized, project)) == 5
    monkeypatch.syspath_prepend(elsewhere)
    assert manifest.stale(synthesized, project) == []
