"""What a team needs to deploy a service from a repository of its own: a folder that connects it to the backbone."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from string import Template
from typing import Any
from urllib.parse import quote

from backbone.development import contracts, models, samples, terraform_module
from backbone.development.contracts import Contract
from backbone.development.files import write_all
from backbone.development.models import Language
from backbone.development.surroundings import Simulated, simulate, simulated_name
from backbone.development.terraform_module import To
from backbone.errors import BackboneError
from backbone.topology import Topology
from backbone.topology.hubs import elsewhere_json
from backbone.topology.publications import PublicationEntry
from backbone.topology.subscriptions import SubscriptionEntry, plain

__all__ = ["HandoverError", "hand_over"]

Json = dict[str, Any]
Words = dict[str, str]

TEMPLATES = Path(__file__).parent / "templates" / "handover"
PLACES = {
    "function_arn": "aws_lambda_function.mine.arn",
    "kms_key_arn": "data.aws_kms_alias.backbone.target_key_arn",
    "queue_arn": "aws_sqs_queue.mine.arn",
    "queue_url": "aws_sqs_queue.mine.url",
    "role_name": "aws_iam_role.mine.name",
}
"""What they may be in the team's own Terraform."""

CODE = "code/handler.py"
OWNED = ("samples", "simulated")
"""The folders in which nobody else has files: what is left there of an earlier time is removed."""


class HandoverError(BackboneError):
    """The folder cannot be written; nothing was."""


def hand_over(
    topology: Topology, service: str, folder: Path, *, to: To, language: Language, force: bool = False
) -> list[Path]:
    """Write the folder for a service; returns its files.

    The service's code gets events by a function or a queue of its own. Files that are there already are replaced with
    `force` alone, except for the team's code. HandoverError when there are any without it, or when the service has no
    events.
    """
    texts = {folder / path: text for path, text in _texts(topology, service, to, language).items()}
    if (folder / CODE).parent.exists():  # by now it is the team's own
        texts.pop(folder / CODE, None)
    taken = [file for file in texts if file.exists()]
    if taken and not force:
        raise HandoverError(f"{taken[0]}: is there already; name another folder, or replace it with --force")
    write_all(texts)
    for owned in OWNED:
        for file in sorted((folder / owned).rglob("*")):
            if file.is_file() and file not in texts:
                file.unlink()
    return list(texts)


def _texts(topology: Topology, service: str, to: To, language: Language) -> dict[str, str]:
    received = contracts.received_by(topology, service)
    entry = topology.services[service]
    if not entry.publishes and not entry.subscribes:
        raise HandoverError(f"services.{service}: publishes nothing and subscribes to nothing; say what it does first")
    module = terraform_module.module(topology, service, to)
    sampled = dict(_samples(topology, service, received))
    simulated = simulate(topology, service, module)
    words = _words(topology, service)
    texts = {
        "README.md": _filled("README.md", words | _readme(module)),
        "backbone.json": _json(_facts(topology, service)),
        "terraform/main.tf.json": _json(module),
        "test_backbone.py": _test(words, simulated, _with_buses(topology, service), sampled),
    }
    if "aws_lambda_permission" in module["resource"]:
        texts[CODE] = _filled("handler.py", words)
    if received:
        name, text = models.module_for(topology, service, language)
        texts[f"events/{name}"] = text
    texts |= {f"samples/{path}": text for path, text in sampled.items()}
    texts |= {f"simulated/{path}": text for path, text in simulated.texts.items()}
    return texts


def _words(topology: Topology, service: str) -> Words:
    """What the templates are filled with."""
    entry = topology.services[service]
    place = topology.place(entry.account)
    title = service.replace("-", " ").title()
    subscribes = map(_received, entry.subscribes)
    return {
        "account": entry.account,
        "buses_elsewhere": f"| `EVENT_BUS_ARNS` | `{elsewhere}` |\n"
        if (elsewhere := elsewhere_json(topology.elsewhere(service)))
        else "",
        "account_id": place.account_id,
        "backbone": topology.name,
        "global_bus": topology.hubs_of(service)[0].arn,
        "local_bus": topology.local_bus(service) if entry.receives == "bus" else "none",
        "own": simulated_name(topology, service),
        "publishes_words": ", ".join(_published(topology, service)) or "nothing",
        "region": topology.region,
        "service": service,
        "source": topology.source_of(service),
        "subscribes_words": ", ".join(subscribes) or "nothing",
        "title": title if title.endswith("Service") else f"{title} Service",
    }


def _plain_publication(entry: PublicationEntry) -> str | Json:
    return entry.model_dump(exclude_none=True) if entry.source or entry.bus else entry.detail_type


def _published(topology: Topology, service: str) -> Iterator[str]:
    """What a service publishes, as the guide says it."""
    own, first = topology.source_of(service), topology.hubs_of(service)[0]
    for event in topology.published_by(service):
        on = f" on `{arn}`" if (arn := topology.hub_of(service, event).arn) != first.arn else ""
        yield f"`{event.detail_type}`" + (f" as `{event.source}`" if event.source != own else "") + on


def _received(entry: SubscriptionEntry) -> str:
    """An entry as the guide says it."""
    words = f"`{entry.detail_type}`" if entry.detail_type else "every event"
    if entry.source_words:
        words += f" of {' or '.join(f'`{source}`' for source in entry.source_words)}"
    return f"{words} where the detail matches `{json.dumps(plain(entry.detail))}`" if entry.detail else words


def _readme(module: Json) -> Words:
    """What the guide says of the module."""
    resources = module["resource"]
    made = {
        "aws_cloudwatch_event_rule": "a rule on the local bus, and its target",
        "aws_sqs_queue": "a queue for what could not be delivered (its ARN is an output: put an alarm on it)",
        "aws_lambda_permission": "the permission to invoke your function, for this rule",
        "aws_lambda_function_event_invoke_config": "a queue for what your function fails at (an output as well)",
        "aws_iam_role_policy": "a policy of your role, which lets it do what the module needs and no more",
    }
    needed = [name for name, variable in module["variable"].items() if "default" not in variable]
    longest = max(map(len, needed))
    notes = []
    if "aws_lambda_function_event_invoke_config" in resources:
        notes.append("A function has a single event invoke config: if yours has one, take one of the two out.")
    if "events" in resources.get("aws_sqs_queue_policy", {}):
        notes.append("A queue has a single policy: the module's replaces that of your queue.")
    if "kms_key_arn" in module["variable"]:
        notes.append("The bus has a key of its own: whoever deploys its rules needs `kms:Decrypt` for that.")
    return {
        "arguments": "\n".join(f"  {name:{longest}} = {PLACES[name]}" for name in needed),
        "makes": "\n".join(f"- {words}" for kind, words in made.items() if kind in resources),
        "notes": "".join(f"\n{note}\n" for note in notes),
    }


def _with_buses(topology: Topology, service: str) -> list[tuple[str, str, str]]:
    """What a service publishes, each with the ARN of the global bus."""
    return [(*event, topology.hub_of(service, event).arn) for event in topology.published_by(service)]


def _facts(topology: Topology, service: str) -> Json:
    entry = topology.services[service]
    place, hub = topology.place(entry.account), topology.hubs_of(service)[0]
    return {
        "backbone": topology.name,
        "service": service,
        "account_id": place.account_id,
        "region": topology.region,
        "source": topology.source_of(service),
        "publishes": [_plain_publication(one) for one in entry.publishes],
        "subscribes": [plain(one.model_dump(exclude_none=True)) for one in entry.subscribes],
        "global_bus": {"name": hub.name, "arn": hub.arn},
        "local_bus": {"name": topology.local_bus(service), "arn": place.bus(topology.local_bus(service))}
        if entry.receives == "bus"
        else None,
    }


def _test(
    words: Words, simulated: Simulated, publishes: Sequence[tuple[str, str, str]], sampled: Collection[str]
) -> str:
    has_function = "function_arn" in simulated.values
    modules = ["base64", "hashlib", "json", "shutil"] if has_function else ["json", "shutil"]
    words = words | {
        "code": _filled("code.py", words) if has_function else "",
        "imports": "\n".join(f"import {name}" for name in modules),
        "publishes": json.dumps(publishes, ensure_ascii=False),
        "samples": _python(sampled),
        "values": json.dumps(simulated.values, indent=4),
    }
    parts = ["test.py", *(["test_receives.py"] if sampled else []), *(["test_publishes.py"] if publishes else [])]
    return "".join(_filled(part, words) for part in parts)


def _samples(topology: Topology, service: str, received: Sequence[Contract]) -> Iterator[tuple[str, str]]:
    """An event of each type and version, by its path from `samples`: one that the service receives."""
    for contract in received:
        entries = topology.services[service].subscribes
        wanted = [entry for entry in entries if entry.takes(contract.detail_type, contract.source)]
        account_id = topology.accounts[topology.services[contract.publisher].account].id
        event = samples.event(contract, region=topology.region, account_id=account_id)
        event = next((made for one in wanted for made in one.examples(event)), event)
        version = f".v{contract.version}" if contract.version else ""
        yield f"{contract.publisher}/{quote(contract.detail_type, safe=' ')}{version}.json", _json(event)


def _filled(part: str, words: Words) -> str:
    return Template((TEMPLATES / f"{part}.tmpl").read_text(encoding="utf-8")).substitute(words)


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def _python(values: Collection[str]) -> str:
    """A list of texts as Python writes it."""
    return "[" + ", ".join(json.dumps(value, ensure_ascii=False) for value in values) + "]"
