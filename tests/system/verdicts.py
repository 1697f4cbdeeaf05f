"""What `terraform validate` with provider 5.100 says of every mutation, recorded in verdicts.json.

`python -m tests.system.verdicts PLUGIN_DIR` records anew; it takes some minutes. For each body and each argument of it
there is a text of one character for each edit, in the order of `mutations`: x where Terraform refuses, . where not.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from scripts.provider_schema import FIVE, terraform
from tests.system.mutations import Mutation, mutations

__all__ = ["FILE", "refused", "verdicts"]

FILE = Path(__file__).parent / "verdicts.json"
AT_ONCE = 400  # Terraform's time grows faster than the number of resources


def refused(cases: Sequence[Mutation], plugins: Path) -> list[bool]:
    """Whether Terraform refuses each of some bodies."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        found: list[bool] = []
        for start in range(0, len(cases), AT_ONCE):
            found += _refused(cases[start : start + AT_ONCE], folder, plugins)
        return found


def _refused(cases: Sequence[Mutation], folder: Path, plugins: Path) -> list[bool]:
    by_type: dict[str, list[int]] = defaultdict(list)
    for number, case in enumerate(cases):
        by_type[case.resource_type].append(number)
    required = {"required_providers": {"aws": {"source": "hashicorp/aws", "version": FIVE}}}
    lines = [f'{{"terraform": {json.dumps(required)}, "provider": {{"aws": {{"region": "eu-west-1"}}}}, "resource": {{']
    at_line: dict[int, int] = {}
    for kind, numbers in by_type.items():
        lines.append(f'"{kind}": {{')
        for number in numbers:
            lines.append(f'"c{number}": {json.dumps(cases[number].body)},')
            at_line[len(lines)] = number
        lines[-1] = lines[-1].removesuffix(",")
        lines.append("},")
    lines[-1] = "}"
    (folder / "main.tf.json").write_text("\n".join([*lines, "}}"]))
    if not (folder / ".terraform").exists():
        terraform(folder, "init", f"-plugin-dir={plugins}")
    done = subprocess.run(["terraform", "validate", "-json"], cwd=folder, capture_output=True, text=True, check=False)
    result = [False] * len(cases)
    for problem in json.loads(done.stdout)["diagnostics"]:
        if problem["severity"] == "error":
            line = problem.get("range", {}).get("start", {}).get("line")
            address = problem.get("address", "")
            result[at_line[line] if line in at_line else int(address.rpartition(".c")[2])] = True
    return result


def verdicts() -> Mapping[str, Mapping[str, str]]:
    """The recorded verdicts, by resource type and `Mutation.place`."""
    found: Mapping[str, Mapping[str, str]] = json.loads(FILE.read_text())
    return found


def main() -> None:
    """Record."""
    cases = list(mutations())
    found: dict[str, dict[str, str]] = defaultdict(lambda: defaultdict(str))
    for case, is_refused in zip(cases, refused(cases, Path(sys.argv[1])), strict=True):
        found[case.resource_type][case.place] += "x" if is_refused else "."
    types = [
        f'"{name}": {{\n'
        + ",\n".join(f"  {json.dumps(place)}: {json.dumps(one)}" for place, one in places.items())
        + "\n}"
        for name, places in found.items()
    ]
    FILE.write_text("{" + ",\n".join(types) + "}\n")


if __name__ == "__main__":
    main()
