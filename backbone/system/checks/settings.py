"""The `terraform` block: versions, providers and backend.

Sources: Terraform language, "Terraform Block", "Backend Configuration", "Version Constraints"; OpenTofu has the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from backbone.system.arguments import is_constraint, majors, terraforms
from backbone.system.findings import Finding, finding
from backbone.system.terraform import Configuration

__all__ = ["check"]

SETTINGS = frozenset(("backend", "cloud", "experiments", "provider_meta", "required_providers", "required_version"))
BACKENDS = frozenset(
    ("azurerm", "consul", "cos", "gcs", "http", "kubernetes", "local", "oci", "oss", "pg", "remote", "s3")
)
SOURCES = frozenset(
    ("aws", "hashicorp/aws", "registry.terraform.io/hashicorp/aws", "registry.opentofu.org/hashicorp/aws")
)


def check(configuration: Configuration) -> Iterator[Finding]:
    """What is wrong with the settings of stacks."""
    for stack, settings in configuration.settings.items():
        for words in (*_settings(settings), *_backend(settings), *_provider(settings)):
            yield finding("BB115", f"{stack}/terraform", words)


def _settings(settings: Mapping[str, Any]) -> Iterator[str]:
    for name in sorted(settings.keys() - SETTINGS - {"//"}):
        yield f"{name}: is no setting of Terraform; allowed: {', '.join(sorted(SETTINGS))}"
    required = settings.get("required_version")
    if required is None:
        return
    if not isinstance(required, str) or not is_constraint(required):
        yield f"required_version: got {required!r}; allowed: a version constraint, such as >= 1.6.0"
    elif not terraforms(required):
        yield f"required_version: got {required!r}, which no Terraform 1 is"


def _backend(settings: Mapping[str, Any]) -> Iterator[str]:
    backend, cloud = settings.get("backend"), settings.get("cloud")
    if backend is not None and not isinstance(backend, dict):
        yield f"backend: got {backend!r}; allowed: an object with one backend"
        return
    named = [*(backend or {}), *(["cloud"] if cloud is not None else [])]
    if len(named) > 1:
        yield f"backend: got {' and '.join(named)}; allowed: one"
    for name in sorted((backend or {}).keys() - BACKENDS):
        yield f"backend: got {name!r}; allowed: {', '.join(sorted(BACKENDS))}"
    if "${" in json.dumps([backend, cloud]).replace("$${", ""):
        yield "backend: has an expression; allowed: values only, since the backend is read before anything else"


def _provider(settings: Mapping[str, Any]) -> Iterator[str]:
    providers = settings.get("required_providers") or {}
    aws = providers.get("aws") if isinstance(providers, dict) else None
    if not isinstance(aws, dict):
        return
    source, version = aws.get("source", "aws"), aws.get("version")
    if not isinstance(source, str) or source not in SOURCES:
        yield f"required_providers.aws.source: got {source!r}; allowed: hashicorp/aws"
    if version is None:
        return
    if not isinstance(version, str) or not is_constraint(version):
        yield f"required_providers.aws.version: got {version!r}; allowed: a version constraint, such as >= 5.100.0"
    elif not majors(version):
        yield f"required_providers.aws.version: got {version!r}; allowed: version 5 or 6, which the stacks need"
