"""Calls of APIs by rules: that a path has all its values, and that there are such values in events.

Sources: EventBridge API reference, HttpParameters; EventBridge user guide, "API destinations as targets", "API Gateway
as a target".
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from backbone.errors import BackboneError
from backbone.system import access
from backbone.system.checks.fields import FIELDS, KNOWN
from backbone.system.findings import Finding, finding
from backbone.system.model import ApiDestination, System, Target
from backbone.system.target_input import path_problems
from backbone.system.terraform import Configuration
from backbone.system.values import Values

__all__ = ["check"]


def check(system: System, configuration: Configuration) -> Iterator[Finding]:
    """What is wrong with how APIs are called."""
    for target in system.targets:
        block = configuration.get(target.address)
        if block is None:
            continue
        try:
            called = _called(system, configuration, target)
            http = Values(configuration, block).part("http_target")
            values = http.texts("path_parameter_values")
            given = [*values, *http.mapping("header_parameters").values()]
            given += http.mapping("query_string_parameters").values()
        except BackboneError:
            continue  # it has a finding of its own
        if called is not None and len(values) != called.count("*"):
            words = (
                f"http_target: has {len(values)} path_parameter_values for {called}, which has {called.count('*')} *"
            )
            yield finding("BB207", target.address, f"{words}; AWS refuses the target")
        for path in given:
            if path.startswith("$"):
                for words in path_problems("http_target", path):
                    yield finding("BB207", target.address, f"{words}; AWS refuses the target")
            if (found := re.match(r"\$\.([^.\[]+)", path)) and found[1] not in FIELDS:
                yield finding("BB208", target.address, f"{path}: no event has the field {found[1]}; allowed: {KNOWN}")


def _called(system: System, configuration: Configuration, target: Target) -> str | None:
    """The address that a target calls, with `*` for values of the event; None for any other target."""
    destination = system.get(ApiDestination, target.arn)
    block = configuration.get(destination.address) if destination else None
    if block is not None:
        return Values(configuration, block).text("invocation_endpoint")
    if access.service_of(target.arn) == "execute-api":
        return "/".join(target.arn.split("/")[3:])
    return None
