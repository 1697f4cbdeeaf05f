"""Makes the plans of the catalogue with real Terraform: `python -m tests.deployment.plans.make [CASE…]`.

The base is applied to a local AWS emulator; the plan of each case is made against that state, without a refresh.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.deployment.plans.cases import cases, reduced, synthesize_case, write
from tests.e2e.terraform import Terraform, moto_server
from tests.synthesis import Json

BASE: Json = {"case": "base"}


class Bench:
    """The applied base, and Terraform to plan changes of it."""

    def __init__(self, place: Path, url: str) -> None:
        self._place, self._url = place, url
        self._folder = place / "cdktf.out"
        synthesize_case(BASE, self._folder)
        self.base: dict[str, Json] = {}
        for file in sorted(self._folder.glob("stacks/*/cdk.tf.json")):
            terraform = Terraform(file.parent, url)
            terraform.init()
            terraform.run("apply", "-auto-approve")
            self.base[file.parent.name] = self._plan(file.parent)

    def plans(self, case: Json) -> Iterator[tuple[str, Json]]:
        """The plans of a case: of its stacks that are not those of the base."""
        wanted = self._place / "wanted"
        shutil.rmtree(wanted, ignore_errors=True)
        synthesize_case(case, wanted)
        for file in sorted(wanted.glob("stacks/*/cdk.tf.json")):
            folder = self._folder / "stacks" / file.parent.name
            is_new = not folder.exists()
            old = None if is_new else (folder / "cdk.tf.json").read_text()
            if old == file.read_text():
                continue
            shutil.copytree(file.parent, folder, dirs_exist_ok=True)
            if is_new:
                Terraform(folder, self._url).init()
            yield folder.name, self._plan(folder)
            if old is None:
                shutil.rmtree(folder)
            else:
                (folder / "cdk.tf.json").write_text(old)

    def _plan(self, folder: Path) -> Json:
        terraform = Terraform(folder, self._url)
        terraform.run("plan", "-refresh=false", "-out=plan")
        return reduced(json.loads(terraform.run("show", "-json", "plan")[1]), self._url)


@contextmanager
def bench() -> Iterator[Bench]:
    """The base, applied to an emulator of its own."""
    with tempfile.TemporaryDirectory() as place, moto_server(Path(place) / "moto.log") as url:
        yield Bench(Path(place), url)


def main(names: Iterable[str]) -> None:
    """Make the plans of all cases, or print those of some."""
    known = cases()
    with bench() as made:
        if names:
            print(json.dumps({name: dict(made.plans(known[name])) for name in names}, indent=1))
            return
        write(made.base, {name: dict(made.plans(case)) for name, case in known.items()})


if __name__ == "__main__":
    main(sys.argv[1:])
