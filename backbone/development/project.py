"""A new project: everything that a repository with a backbone of its own begins with."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from backbone.deployment.ci import github, gitlab
from backbone.deployment.ci.target import Checked, installation
from backbone.development.declare import in_yaml
from backbone.development.files import write_all
from backbone.development.scaffold import PARENT, service_code
from backbone.development.service_code import filled, listed, literal
from backbone.development.service_package import DEFAULT_ROOT, package_name
from backbone.errors import BackboneError
from backbone.topology import Topology, TopologyError, json_schema, parse
from backbone.topology.source import dotted
from backbone.version import __version__

__all__ = ["Draft", "ProjectError", "new_project"]

PIPELINES = ("github", "gitlab", "none")

HUB = "bus"
"""The account of the global bus."""

DEPLOY_ROLE = "backbone-deploy"
FILE = "backbone.yaml"
SHOWN = 3
SCHEMA = "backbone.schema.json"


class ProjectError(BackboneError):
    """The project cannot be written; nothing was."""


@dataclass(frozen=True)
class Draft:
    """What a project begins with: the ids of accounts, and the account of each service, by their names.

    The first service has an API and publishes an event when that is called; each other one answers that event. `given`
    has the ids that are not made up. `ci` is what runs the pipeline. Changes raise ProjectError for what is not valid.
    """

    name: str
    region: str
    given: Mapping[str, str]
    services: Mapping[str, str]
    ci: str = "github"

    @classmethod
    def of(cls, folder: Path, given: Mapping[str, str], services: Sequence[str], region: str) -> Draft:
        """A draft for a folder, which the backbone is named after as far as that is allowed."""
        name = re.sub(r"[^a-z0-9]+", "-", folder.resolve().name.lower())[:20].strip("-") or "backbone"
        return cls._valid(cls(name, region, given, {service: account_of(service) for service in services}))

    @property
    def accounts(self) -> dict[str, str]:
        """The ids of all accounts, some of them made up."""
        names = dict.fromkeys([HUB, *self.services.values(), *self.given])
        free = (f"{number}" * 12 if number < 10 else f"{number:012}" for number in itertools.count(1))
        unused = (number for number in free if number not in self.given.values())
        return {name: self.given[name] if name in self.given else next(unused) for name in names}

    @property
    def made_up(self) -> list[str]:
        """The accounts with an id that is made up."""
        return [name for name in self.accounts if name not in self.given]

    def named(self, name: str) -> Draft:
        """The draft with another name."""
        return self._valid(replace(self, name=name))

    def within(self, region: str) -> Draft:
        """The draft in another region."""
        return self._valid(replace(self, region=region))

    def with_services(self, words: Sequence[str]) -> Draft:
        """The draft with these services, by their names; `NAME=ACCOUNT` is for an account to share."""
        services: dict[str, str] = {}
        for name, _, account in (word.partition("=") for word in words):
            if name in services:
                raise ProjectError(f"services: got {name} twice")
            services[name] = account or account_of(name)
        return self._valid(replace(self, services=services))

    def with_id(self, account: str, id: str) -> Draft:
        """The draft with the id of an account; it stays made up when it is what it was."""
        return self if self.accounts[account] == id else self._valid(replace(self, given={**self.given, account: id}))

    def checked_by(self, ci: str) -> Draft:
        """The draft with another pipeline."""
        if ci not in PIPELINES:
            raise ProjectError(f"ci: got {ci!r}; allowed: {', '.join(PIPELINES)}")
        return replace(self, ci=ci)

    @staticmethod
    def _valid(draft: Draft) -> Draft:
        draft.topology()
        return draft

    def topology(self) -> Topology:
        """The backbone that its file declares; ProjectError when it is not valid."""
        try:
            return parse(self.text(), file=FILE)
        except TopologyError as error:
            lines = [": ".join([dotted(problem.path), problem.message]) for problem in error.problems]
            raise ProjectError("\n".join(lines)) from None

    def text(self) -> str:
        """The text of its file."""
        packages = {service: package_name(service) for service in self.services}
        if double := [package for package, count in Counter(packages.values()).items() if count > 1]:
            raise ProjectError(f"services: several would be in the package {double[0]!r}; choose other names")
        if not packages:
            raise ProjectError("services: got none; a backbone begins with a service")
        width = max(map(len, self.accounts))
        return filled(
            "project/backbone.yaml",
            name=in_yaml(self.name),
            region=in_yaml(self.region),
            bus=HUB,
            accounts="\n".join(
                f"  {f'{in_yaml(account)}:':{width + 1}} {{id: {in_yaml(number)}, deploy_role: {DEPLOY_ROLE}}}"
                for account, number in self.accounts.items()
            ),
            examples="  # put your own ids here before you deploy" if self.made_up else "",
            services="\n".join(self._services(packages)),
        )

    def _services(self, packages: Mapping[str, str]) -> list[str]:
        lines: list[str] = []
        first = ""
        for service, account in self.services.items():
            own = packages[service].title().replace("_", "")
            lines += [f"  {in_yaml(service)}:", f"    account: {in_yaml(account)}"]
            lines.append(f"    publishes: [{own}.{'Updated' if first else 'Created'}]")
            lines += [f"    subscribes: [{first}]"] if first else []
            lines.append(f"    module: {DEFAULT_ROOT}.{packages[service]}")
            first = first or f"{own}.Created"
        return lines


def new_project(folder: Path, draft: Draft) -> list[Path]:
    """Write the files of a project into a folder, which is made where it is missing; returns what was written.

    ProjectError when a file of the kind is there already: nothing is replaced, and after any error the folder is as
    it was.
    """
    texts = {folder / path: text for path, text in _texts(draft).items()}
    if taken := [str(path) for path in texts if path.exists() or path.is_symlink()]:
        names = ", ".join(taken[:SHOWN]) + (f" and {len(taken) - SHOWN} more" if len(taken) > SHOWN else "")
        raise ProjectError(f"{names}: already there, and nothing is replaced; name an empty folder")
    write_all(texts)
    return list(texts)


def account_of(service: str) -> str:
    """The name of the account that a service has to itself."""
    return package_name(service).replace("_", "-")


def _texts(draft: Draft) -> dict[str, str]:
    """The texts of all files by their paths."""
    topology = draft.topology()
    codes = [service_code(topology, service) for service in topology.services]
    first = codes[0]
    name = topology.name.strip("-") or "backbone"
    published = [literal(event) for code in codes for event in code.publishes]
    texts = {
        FILE: draft.text(),
        SCHEMA: json_schema.text(),
        "pyproject.toml": filled(
            "project/pyproject.toml", name=topology.name, project=f"{name}-events", version=__version__
        ),
        "main.py": filled("project/main.py"),
        "cdktf.json": filled("project/cdktf.json"),
        ".gitignore": filled("project/gitignore"),
        ".pre-commit-config.yaml": filled("project/pre-commit-config.yaml"),
        "tests/test_backbone.py": filled(
            "project/test_backbone.py",
            events=listed("EVENTS = [", published, "]"),
            path=first.path,
            account=first.account,
            api=first.names["http-api"],
        ),
        f"{DEFAULT_ROOT}/__init__.py": PARENT,
    }
    for code in codes:
        package = code.package.replace(".", "/")
        texts |= {f"{package}/{file}": text for file, text in code.files().items()}
        texts[f"tests/{DEFAULT_ROOT}/test_{package.rpartition('/')[2]}.py"] = code.test()
    if draft.ci != "none":
        platform = github if draft.ci == "github" else gitlab
        texts[platform.FILE] = platform.checks([Checked(None)], install=installation(tests=True), tests=True)
    return texts
