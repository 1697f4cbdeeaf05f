"""What synth tells beside the stacks: what was declared, what was made of which files, and how to deploy it.

It is `backbone.json` in the output folder. Whoever reads the stacks learns from it what the Terraform cannot say, such
as who was meant to receive what. The same input gives the same bytes, without any path of the machine.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from backbone.aws.names import GLOBAL
from backbone.errors import BackboneError
from backbone.patterns import Pattern
from backbone.sources import ModuleFiles, digest, environment_file, included_files, runtime_files
from backbone.version import __version__

__all__ = [
    "FILE_NAME",
    "FORMAT",
    "Change",
    "Manifest",
    "ManifestBus",
    "ManifestDeployment",
    "ManifestError",
    "ManifestPipeline",
    "ManifestRelay",
    "ManifestService",
    "ManifestStack",
    "ManifestSubscription",
    "bootstrap_folder",
    "read",
    "stale",
    "write",
]

FILE_NAME = "backbone.json"
FORMAT: Final = 1
DIGEST = "digest"


class ManifestError(BackboneError):
    """The manifest cannot be read."""


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class ManifestBus(_Model):
    """A global bus: its account's name, and its ARN. The account is None where the file does not have it.

    `name` is what the file calls it, which is `global` for that of `bus`.

    `policy` is of a bus that exists, which no stack makes: the statements that its policy must have, beside others.
    """

    account: str | None
    arn: str
    policy: str | None = None
    name: str = GLOBAL


SourceTest = str | dict[Literal["prefix"], str]


class ManifestSubscription(_Model):
    """Events that a service was declared to receive: of a detail-type or of any, of a source, of some or of any.

    `detail` is the event pattern that their detail must match; None where every detail will do.
    """

    detail_type: str | None = None
    source: SourceTest | tuple[SourceTest, ...] | None = None
    detail: dict[str, Any] | None = None

    def takes(self, detail_type: str, source: str) -> bool:
        """Whether some event of a type and a source is received."""
        if self.detail_type not in (None, detail_type):
            return False
        sources = self.source if isinstance(self.source, tuple) else (self.source,)
        return any(
            source.startswith(one["prefix"]) if isinstance(one, dict) else one in (None, source) for one in sources
        )

    def examples(self, event: dict[str, Any]) -> list[dict[str, Any]]:
        """Events like the one given, of a type and source that are received, of a detail that is received."""
        if self.detail is None:
            return [event]
        return Pattern.parse({"detail": self.detail}).examples(event)


class ManifestRelay(_Model):
    """What a service takes from its account's default bus by a pattern, as JSON, and publishes as events of a type."""

    pattern: str
    publishes: str


class ManifestService(_Model):
    """A service as it was declared. `folders` are those of its module, the module's own first.

    `publishes` are the detail-types under `source`, `also_publishes` those under other sources.
    `confidential` are those of the detail-types that it publishes whose `detail` no log may have. `fields` has the
    fields of the detail of those whose detail others filter by, as far as schemas tell them, where `*` is any further.
    `local_bus` is None where it receives nothing; `bus_exists` says that no stack makes it. `buses` are the global
    buses that it is on, where not `global` alone: it publishes on the first what `published_on` does not say, by source
    and detail-type, to be published on another. `packages` tells which packages its functions need, as
    `backbone.locked` has it; None where they need none.
    """

    account: str
    source: str
    publishes: tuple[str, ...]
    also_publishes: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    confidential: tuple[str, ...] = ()
    fields: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    subscribes: tuple[ManifestSubscription, ...]
    relays: dict[str, ManifestRelay] = Field(default_factory=dict)
    local_bus: str | None
    bus_exists: bool = False
    buses: tuple[str, ...] = (GLOBAL,)
    published_on: dict[str, dict[str, str]] = Field(default_factory=dict)
    module: str | None = None
    folders: tuple[str, ...] = ()
    packages: str | None = None

    @property
    def events(self) -> list[tuple[str, str]]:
        """What it publishes: each detail-type with a source."""
        published = {self.source: self.publishes, **self.also_publishes}
        return [(detail_type, source) for source, types in published.items() for detail_type in types]

    def bus_of(self, detail_type: str, source: str) -> str:
        """The global bus that it publishes an event on, as the file calls it."""
        return self.published_on.get(source, {}).get(detail_type, self.buses[0])


class ManifestStack(_Model):
    """A stack, the accounts that it has a provider for, and the stacks to deploy before it.

    `files` has the SHA-256 in base64 of each file that lies beside its JSON, by the path from its folder.
    """

    name: str
    accounts: tuple[str, ...]
    depends_on: tuple[str, ...] = ()
    files: dict[str, str] = Field(default_factory=dict)


class ManifestPipeline(_Model):
    """A pipeline of CodePipeline: the source that it follows, and the command that installs the tool in its builds."""

    connection_arn: str
    repository: str
    branch: str
    install: str


class ManifestDeployment(_Model):
    """Who deploys: roles by their ARNs, or jobs by the subjects (in which `*` stands for any characters) of tokens.

    Tokens are those of an `issuer` for an `audience`. A `pipeline` that bootstrap makes has roles of its own instead.
    `account` is the id of the account with the state's bucket and the pipeline's roles; `boundary` is the name, with
    its path, of the policy that limits all roles in each account.
    """

    account: str
    deploying: tuple[str, ...]
    planning: tuple[str, ...]
    issuer: str | None = None
    audience: str | None = None
    pipeline: ManifestPipeline | None = None
    boundary: str
    organization_id: str | None = None


class Manifest(_Model):
    """A synthesized backbone. `accounts` has ids by name, `stacks` is in the order to deploy them.

    `global_bus` is the one that tells it from other backbones, `further_buses` are all others.

    `keys` has the ARN of the key that encrypts everything in an account, by the account's name, where there is one.
    `file` is the name of the declaring file; None where there was only text. `include` has the patterns of the files
    that it includes. `environment` is the file's environment that this is, if it declares any. `sources` has the
    SHA-256 of these files and of each file of a module or of the runtime, by its path from the folder of the declaring
    file (or, for what is installed elsewhere, from where Python finds it). `layers` has what is known to be in layers,
    as requirements, by patterns of their ARNs in which `*` stands for any characters. `open_routes` has the routes that
    modules let anyone call, each as the id of its account and the route key. `deployment` says who deploys, where the
    file does.
    """

    format: Literal[1] = FORMAT
    tool: str = __version__
    backbone: str
    region: str
    partition: str
    layout: Literal["single", "per-account"]
    routing: Literal["broadcast", "subscribed"]
    rules: Literal["platform", "owner"] = "platform"
    accounts: dict[str, str]
    keys: dict[str, str] = Field(default_factory=dict)
    global_bus: ManifestBus
    further_buses: tuple[ManifestBus, ...] = ()
    services: dict[str, ManifestService]
    stacks: tuple[ManifestStack, ...]
    file: str | None = None
    include: tuple[str, ...] = ()
    environment: str | None = None
    sources: dict[str, str]
    layers: dict[str, tuple[str, ...]]
    open_routes: tuple[str, ...] = ()
    deployment: ManifestDeployment | None = None

    @property
    def buses(self) -> tuple[ManifestBus, ...]:
        """All global buses."""
        return (self.global_bus, *self.further_buses)

    def account_of(self, source: str) -> dict[str, str]:
        """The account id of the service that publishes under a source, as an event has it; empty when none does."""
        for service in self.services.values():
            if source == service.source or source in service.also_publishes:
                return {"account": self.accounts[service.account]}
        return {}


def bootstrap_folder(stacks: Path) -> Path:
    """The folder of a bootstrap: `bootstrap` beside `cdktf.out`, and `bootstrap.prod` beside `cdktf.prod.out`."""
    own = re.fullmatch(r"cdktf(\..+)?\.out", stacks.name)
    return stacks.with_name(f"bootstrap{own[1] or ''}" if own else f"{stacks.name}.bootstrap")


def write(manifest: Manifest, folder: Path) -> None:
    """Write the manifest of an output folder, with a digest by which `read` sees that it is whole."""
    data = manifest.model_dump(mode="json")
    text = json.dumps(data | {DIGEST: _digest(_canonical(data))}, indent=2, sort_keys=True, ensure_ascii=False)
    (folder / FILE_NAME).write_bytes(f"{text}\n".encode())


def read(folder: Path) -> Manifest:
    """The manifest of an output folder; ManifestError where there is none, or none that this version can read."""
    file = folder / FILE_NAME
    try:
        data = json.loads(file.read_bytes())
        found = data.get("format")
        if isinstance(found, int) and found != FORMAT:
            raise ManifestError(
                f"{file}: got format {found}; this is event-backbone {__version__}, which reads format {FORMAT}; "
                "run `backbone synth`, or install the version that wrote it"
            )
        written = data.pop(DIGEST, None)
        text = _canonical(data)
        manifest = Manifest.model_validate_json(text)
        if written == _digest(text):
            return manifest
        what = "it was changed since, or damaged"
    except FileNotFoundError:
        raise ManifestError(f"{file}: there is no such file; run `backbone synth` first") from None
    except OSError as error:
        raise ManifestError(f"{file}: cannot be read: {error.strerror}") from None
    except ValidationError as error:
        first = error.errors()[0]
        what = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    except (ValueError, AttributeError, RecursionError):
        what = "it is not a JSON object"
    raise ManifestError(f"{file}: is not as synth wrote it: {what}; run `backbone synth` to write it anew")


def _canonical(data: Mapping[str, Any]) -> str:
    """A manifest's values in the form whose digest is written, however the file has them."""
    return json.dumps(data, sort_keys=True)


def _digest(canonical: str) -> str:
    return hashlib.sha256(canonical.encode()).hexdigest()


@dataclass(frozen=True)
class Change:
    """A file that is not what it was at synth, by its path as the manifest has it."""

    path: str
    kind: Literal["added", "changed", "gone"]

    def __str__(self) -> str:
        return f"{self.path} ({self.kind})"


def stale(manifest: Manifest, project_folder: Path) -> list[Change]:
    """The files that changed since synth, in order; `project_folder` is that of the declaring file."""
    there = dict(_files(manifest, project_folder))
    changes = []
    for path in sorted(manifest.sources.keys() | there.keys()):
        if path not in manifest.sources:
            changes.append(Change(path, "added"))
        elif path not in there:
            changes.append(Change(path, "gone"))
        elif digest(there[path]) != manifest.sources[path]:
            changes.append(Change(path, "changed"))
    return changes


def _files(manifest: Manifest, project_folder: Path) -> Iterator[tuple[str, Path]]:
    """The files that a synth would read now, by their paths in the manifest."""
    declaring = [manifest.file, *included_files(project_folder, manifest.include)] if manifest.file else []
    for path in declaring:
        files = [project_folder / path]
        files += [environment_file(files[0], manifest.environment)] if manifest.environment else []
        yield from ((file.relative_to(project_folder).as_posix(), file) for file in files if file.is_file())
    for service in manifest.services.values():
        if service.folders:
            places = (project_folder, *map(Path, sys.path))
            root = next((place for place in places if (place / service.folders[0]).is_dir()), project_folder)
            yield from ((path, root / path) for path in ModuleFiles(root, service.folders).paths())
        if service.folders or service.relays:
            yield from runtime_files().items()
