"""What becomes of an edited system: it is read, and when that says nothing, run."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import tempfile
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from backbone import manifest
from backbone.errors import BackboneError
from backbone.system import terraform
from backbone.system.reader import Reading, reading_of
from mutants import scenario
from mutants.bases import ROOT, Synthesized, zipped
from mutants.documents import REMOVED, changed
from mutants.edits import Edit
from mutants.edits.code import BROKEN
from mutants.edits.edit import ASSETS, MANIFEST, Stacks
from mutants.scenario import Happened

__all__ = ["Judge", "Verdict"]


@dataclass(frozen=True)
class Verdict:
    """Whether an edit is noticed: by a finding, by what happens, by an exception that is a defect, or not."""

    how: Literal["found", "happened", "traceback", "unseen"]
    words: str = ""


class Judge:
    """Judges the edits of a system by how it differs from the system as it is."""

    def __init__(self, synthesized: Synthesized) -> None:
        self._synthesized = synthesized
        self._as_it_is = self._read(synthesized.stacks, synthesized.folder)
        self._findings = {(finding.rule, finding.address) for finding in self._as_it_is.findings}

    @cached_property
    def _expected(self) -> Happened:
        return scenario.run(self._synthesized.base, self._as_it_is)

    def judge(self, edit: Edit, *, run: bool = True) -> Verdict:
        """What becomes of an edit, without running anything if that is not wanted."""
        stacks = changed(self._synthesized.stacks, edit.path, edit.after)
        if edit.path[1:2] == (ASSETS,):
            stacks = deepcopy(stacks)  # hashes of the code change with it
        try:
            with self._folder(edit, stacks) as folder:
                if edit.path[0] == MANIFEST and (changes := manifest.stale(manifest.read(folder), ROOT)):
                    return Verdict("found", f"synthesized anew for {changes[0]}")
                return self._judge(self._read(stacks, folder), run=run)
        except BackboneError as error:
            return Verdict("found", str(error))
        except Exception as error:  # whatever it is: a user would see the traceback
            place = traceback.extract_tb(error.__traceback__)[-1]
            where = f"{Path(place.filename).name}:{place.lineno}"
            return Verdict("traceback", f"{where}: {type(error).__name__}: {error}")

    def _judge(self, reading: Reading, *, run: bool) -> Verdict:
        for finding in reading.findings:
            if finding.severity != "note" and (finding.rule, finding.address) not in self._findings:
                return Verdict("found", f"{finding.rule} {finding}")
        if not run:
            return Verdict("unseen")
        words = scenario.problem(self._expected, scenario.run(self._synthesized.base, reading))
        return Verdict("unseen") if words is None else Verdict("happened", words)

    def _read(self, stacks: Stacks, folder: Path) -> Reading:
        documents = {name: document for name, document in stacks.items() if name != MANIFEST}
        files = {folder / "stacks" / name / "cdk.tf.json": document for name, document in documents.items()}
        return reading_of(terraform.parse(files), folder)

    @contextmanager
    def _folder(self, edit: Edit, stacks: Stacks) -> Iterator[Path]:
        """The folder with the functions' code and the manifest: a folder of its own when one of them is edited."""
        own = self._synthesized.folder
        if edit.path[0] != MANIFEST and edit.path[1] != ASSETS:
            yield own
            return
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            if edit.path[0] == MANIFEST:
                (folder / "stacks").symlink_to(own / "stacks")
                _write_manifest(folder / manifest.FILE_NAME, stacks.get(MANIFEST, REMOVED))
            else:
                shutil.copy(own / manifest.FILE_NAME, folder)
                for stack, document in stacks.items():
                    if stack != MANIFEST:
                        _write_code(folder / "stacks" / stack / "assets", document)
            yield folder


def _write_manifest(file: Path, document: Any) -> None:
    if document is not REMOVED:
        text = document if isinstance(document, str) else json.dumps(document)
        file.write_bytes(text.encode(errors="surrogateescape"))


def _write_code(folder: Path, document: Any) -> None:
    """Write the zips of a stack, and the hash of each into its functions, as synth does beside new code."""
    hashes = _write_zips(folder, document[ASSETS])
    for function in document["resource"].get("aws_lambda_function", {}).values():
        function["source_code_hash"] = hashes.get(Path(function["filename"]).name)


def _write_zips(folder: Path, zips: dict[str, Any]) -> dict[str, str]:
    """Write zips; returns the hash of each, as synth writes it beside new code."""
    folder.mkdir(parents=True)
    hashes = {}
    for name, files in zips.items():
        if files is not REMOVED:
            content = b"broken" if files == BROKEN else zipped(files)
            (folder / name).write_bytes(content)
            hashes[name] = base64.b64encode(hashlib.sha256(content).digest()).decode()
    return hashes
