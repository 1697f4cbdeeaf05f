"""Synthesized systems to simulate: the examples, and small ones with code of the test's own."""

from __future__ import annotations

import io
import json
import shutil
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from backbone.constructs.service import Service
from backbone.simulator import Simulator
from backbone.synthesis import modules, output
from backbone.synthesis.modules import Module
from backbone.synthesis.package import Package
from backbone.system.iam import Identity
from backbone.topology import parse
from tests.judge import judged  # noqa: F401 - a fixture

ORDER = {"customer": "c-1", "items": [{"sku": "tea", "quantity": 2, "price": 4.95}]}
LAYOUTS = ("single", "per-account", "same-account")

Edit = Callable[[dict[str, Any]], None]


@pytest.fixture
def load(stacks: Callable[[str], Path]) -> Iterator[Callable[..., Simulator]]:
    """Simulators of examples; their functions end with the test."""
    made: list[Simulator] = []

    def of(name: str = "single", **options: Any) -> Simulator:
        made.append(Simulator.load(stacks(name), **options))
        return made[-1]

    yield of
    for one in made:
        one.close()


@pytest.fixture
def edited(stacks: Callable[[str], Path], tmp_path: Path) -> Iterator[Callable[[Edit], Simulator]]:
    """The example with its JSON changed by hand."""

    def of(edit: Edit) -> Simulator:
        read = json.loads((stacks("single") / "stacks" / "backbone" / "cdk.tf.json").read_text())
        edit(read["resource"])
        shutil.copytree(stacks("single"), tmp_path, dirs_exist_ok=True)
        (tmp_path / "stacks" / "backbone" / "cdk.tf.json").write_text(json.dumps(read))
        made.append(Simulator.load(tmp_path))
        return made[-1]

    made: list[Simulator] = []
    yield of
    for one in made:
        one.close()


def zipped(**files: str) -> Package:
    """Code of a test's own: the text of each module by its name."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            archive.writestr(f"{name}.py", text)
    return Package(buffer.getvalue())


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Simulator]]:
    """A system of two services, of which `a` has the code given and publishes to it what `b` asks for."""
    made: list[Simulator] = []

    def of(build: Callable[[Service], None], *, publishes: str = "", settings: str = "", **files: str) -> Simulator:
        monkeypatch.setattr(modules, "load", lambda *_: Module(build, zipped(**files)))
        text = f"""
name: t
region: eu-west-1
accounts: {{bus: {{id: "111111111111"}}, a: {{id: "222222222222"}}, b: {{id: "333333333333"}}}}
bus: {{account: bus}}
services:
  a: {{account: a, publishes: [{publishes}], subscribes: [T], module: some.module}}
  b: {{account: b, publishes: [T]}}
{settings}
"""
        output.synth(parse(text), tmp_path)
        made.append(Simulator.load(tmp_path))
        return made[-1]

    yield of
    for one in made:
        one.close()


def put(
    simulator: Simulator, source: str, detail_type: str, *, caller: str | Identity | None = None, **entry: Any
) -> dict[str, Any]:
    """Put one event on the global bus; returns its result."""
    bus = entry.pop("EventBusName", "arn:aws:events:eu-west-1:111111111111:event-bus/shop-global")
    given = {"Source": source, "DetailType": detail_type, "Detail": {}, "EventBusName": bus} | entry
    result: dict[str, Any] = simulator.put_events([given], caller=caller or source)["Entries"][0]
    return result
