"""Reads the deployed system out of the Terraform, and says everything that is wrong with it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from functools import cached_property, partial
from pathlib import Path

from backbone import locked, manifest
from backbone.aws.arn import Arn, Place
from backbone.aws.names import DEFAULT_BUS
from backbone.manifest import Manifest
from backbone.system import acceptance, checks, terraform
from backbone.system.blocks import Blocks
from backbone.system.findings import Finding, finding
from backbone.system.iam import BUS, LOGS, Policy, read_policy
from backbone.system.model import EventBus, Resource, System
from backbone.system.onward import obstacles
from backbone.system.onward.buckets import read_bucket
from backbone.system.resources import ATTACHED, LOGS_POLICY, READ_ALONG, RESOURCES, WITHOUT_PART, bus_policy
from backbone.system.terraform import Block, Configuration

__all__ = ["Reading", "read", "reading_of"]


class Reading:
    """A system, and everything that is wrong with it."""

    def __init__(self, system: System, blocks: Blocks, declared: Manifest | None) -> None:
        self.system = system
        self._blocks = blocks
        self._declared = declared

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """All findings, found when they are first asked for: that takes longer than to read the system."""
        blocks, system = self._blocks, self.system
        notes = [finding("BB190", address, "this type is not simulated") for address in system.not_simulated]
        # What Terraform refuses of a block is said already where the block could not be read for it.
        checked = (
            found
            for found in checks.check(system, blocks.configuration, self._declared)
            if found.rule != "BB110" or found.address not in blocks.unreadable
        )
        file = blocks.folder.parent / acceptance.FILE_NAME
        return tuple(
            acceptance.apply(
                [*notes, *blocks.findings, *blocks.policy_findings(), *checked], acceptance.load(file), file
            )
        )


def read(folder: Path) -> Reading:
    """The system of all stacks that were synthesized into a folder; TerraformError when they cannot be read.

    A block that cannot be read is a finding, and its resource is not in the system. What `backbone.accept.yaml` beside
    the folder accepts is a note.
    """
    return reading_of(terraform.load(folder), folder)


def reading_of(configuration: Configuration, folder: Path) -> Reading:
    """The system of a configuration; the functions' code is in the folder."""
    declared = manifest.read(folder) if (folder / manifest.FILE_NAME).exists() else None
    blocks = Blocks(configuration, folder, _boundaries(declared, folder))
    return Reading(_system(blocks, declared), blocks, declared)


def _boundaries(declared: Manifest | None, folder: Path) -> dict[str, Policy | None]:
    """The boundaries of all accounts, as the bootstrap beside the stacks has them."""
    if declared is None or declared.deployment is None:
        return {}
    bootstrapped = manifest.bootstrap_folder(folder)
    written = (bootstrapped / "stacks").is_dir()
    made = Blocks(terraform.load(bootstrapped), bootstrapped).customer_policies if written else {}
    places = (Place(declared.partition, declared.region, number) for number in declared.accounts.values())
    arns = [place.iam(f"policy/{declared.deployment.boundary}") for place in places]
    return {arn: made.get(arn) for arn in arns}


def _system(blocks: Blocks, declared: Manifest | None) -> System:
    configuration = blocks.configuration
    kinds: dict[str, str] = {}
    for block in configuration.of(*ATTACHED):
        word, named = ATTACHED[block.type]
        if (to := blocks.try_reading(block, named)) is not None:
            blocks.attach(block, to)
            kinds[block.id] = f"{word} {to}"
    resources = _default_buses(blocks) | _existing_buses(declared)
    for block in configuration.of(*RESOURCES):
        resource = blocks.try_reading(block, partial(RESOURCES[block.type], blocks))
        if resource is None:
            continue
        if (other := resources.get(resource.arn)) is not None:
            blocks.find("BB102", block, f"{resource.arn} is made by {other.address} already")
        resources[resource.arn] = resource
    buckets = (blocks.try_reading(block, partial(read_bucket, blocks)) for block in configuration.of("aws_s3_bucket"))
    resources |= {bucket.arn: bucket for bucket in buckets if bucket is not None}
    blocks.left_over(lambda block: kinds[block.id])
    known = {*RESOURCES, *ATTACHED, LOGS_POLICY, *READ_ALONG, *WITHOUT_PART}
    return System(
        resources.values(),
        accounts={block.account: block.place for block in configuration},
        log_policies=_log_policies(blocks),
        services=dict(_services(configuration)),
        not_simulated=[block.id for block in configuration if block.type not in known],
        layers=declared.layers if declared else None,
        packages=dict(_packages(declared, blocks.folder.absolute().parent)) if declared else None,
        obstacles=obstacles(blocks, resources),
        published_on=dict(_published_on(declared)) if declared else None,
    )


def _published_on(declared: Manifest) -> Iterator[tuple[tuple[str, str], str]]:
    arns = {bus.name: bus.arn for bus in declared.buses}
    for service in declared.services.values():
        yield from ((event, arns[service.bus_of(*event)]) for event in service.events)


def _packages(declared: Manifest, project: Path) -> Iterator[tuple[str, Path]]:
    for name, service in declared.services.items():
        if service.packages is not None:
            yield name, locked.host_folder(project, service.packages)


def _services(configuration: Configuration) -> Iterator[tuple[str, str]]:
    """Blocks that belong to a service, as cdktf notes the place of their construct."""
    for block in configuration:
        path = block.body.get("//")
        for key in ("metadata", "path"):
            path = path.get(key) if isinstance(path, dict) else None
        parts = str(path).split("/")
        if len(parts) > 2 and parts[1].partition("-")[0] in ("services", "forwarding"):  # or forwarding-payments
            yield block.id, parts[2]


def _default_buses(blocks: Blocks) -> dict[str, Resource]:
    """The bus that every account has."""
    found: dict[str, Resource] = {}
    for block in blocks.configuration:
        account, place, arn = block.account, block.place, block.place.bus("default")
        if arn not in found:
            address, policy = f"{account}/default", bus_policy(blocks, arn)
            found[arn] = EventBus(address=address, name="default", arn=arn, account=account, place=place, policy=policy)
    return found


def _existing_buses(declared: Manifest | None) -> dict[str, Resource]:
    """The buses that exist and no stack makes: the policy of a global bus is taken to be what it must be."""
    found: dict[str, Resource] = {}

    def add(text: str, account: str | None, policy: str | None) -> None:
        arn = Arn.parse(text)
        found[text] = EventBus(
            address="backbone.json",
            name=arn.name,
            arn=text,
            account=account or arn.account_id,
            place=arn.place,
            policy=read_policy("backbone.json", policy, BUS, resource=text) if policy else None,
        )

    for service in declared.services.values() if declared else ():
        if service.bus_exists and service.local_bus and Arn.parse(service.local_bus).name != DEFAULT_BUS:
            add(service.local_bus, service.account, None)
    for bus in declared.buses if declared else ():
        if bus.policy is not None:
            add(bus.arn, bus.account, bus.policy)
    return found


def _log_policies(blocks: Blocks) -> dict[str, list[Policy]]:
    found: dict[str, list[Policy]] = defaultdict(list)

    def policy(block: Block) -> Policy | None:
        place = block.place
        return blocks.try_reading(
            block, lambda values: blocks.policy(values, LOGS, "policy_document", resource=place.arn("logs", "*"))
        )

    for block in blocks.configuration.of(LOGS_POLICY):
        if (read := policy(block)) is not None:
            found[block.place.account_id].append(read)
    return found
