"""HTTP APIs: routes that could never be answered."""

from __future__ import annotations

from collections.abc import Iterator

from backbone.system import access
from backbone.system.findings import Finding, finding
from backbone.system.model import Function, HttpApi, System

__all__ = ["check"]


def check(system: System) -> Iterator[Finding]:
    """What is wrong with APIs."""
    for api in system.of(HttpApi):
        yield from _api(system, api)


def _api(system: System, api: HttpApi) -> Iterator[Finding]:
    for route in api.routes:
        function = system.get(Function, route.function_arn)
        if function is None:
            yield finding("BB401", route.address, "its integration leads to no function of these stacks")
        elif not access.invoke_permission(function, access.API_GATEWAY, f"{api.arn}/x/x", api.account_id):
            words = f"{function.name} has no permission for this API: calls are answered with 500"
            yield finding("BB402", route.address, words)
