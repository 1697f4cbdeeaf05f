"""Which stage and route of an HTTP API a call takes (API Gateway developer guide, "Routing API requests").

Paths are decoded: an HTTP API looks for the route of what `%2F` stands for, so that a parameter never holds a slash
unless it is greedy, and a client that means one encodes it twice (reported by users; AWS does not document it).
"""

from __future__ import annotations

from collections.abc import Sequence

from backbone.system.http_model import HttpApi, Route, Stage

__all__ = ["ordered", "route_of", "stage_of"]


def stage_of(api: HttpApi, path: str) -> tuple[Stage | None, str]:
    """The stage of a path, and the path within it. The stage `$default` has no path of its own."""
    stages = {stage.name: stage for stage in api.stages}
    first, _, rest = path.removeprefix("/").partition("/")
    if first in stages and first != "$default":
        return stages[first], f"/{rest}"
    return stages.get("$default"), path


def ordered(routes: Sequence[Route]) -> list[Route]:
    """Routes in the order in which they are tried: full matches, then greedy ones, then `$default`.

    Among each the longer path comes first, text before a parameter, and a method before ANY.
    """
    return sorted(routes, key=_precedence)


def _precedence(route: Route) -> tuple[bool, bool, int, list[bool], bool]:
    method, _, template = route.key.partition(" ")
    parts = template.split("/")
    return (
        route.key == "$default",
        parts[-1].endswith("+}"),
        -len(parts),
        [part.startswith("{") for part in parts],
        method == "ANY",
    )


def route_of(routes: Sequence[Route], method: str, path: str) -> tuple[Route, dict[str, str]] | None:
    """The first of ordered routes that takes a call, with the path's parameters; None when none does."""
    for route in routes:
        if (parameters := _match(route.key, method, path)) is not None:
            return route, parameters
    return None


def _match(key: str, method: str, path: str) -> dict[str, str] | None:
    if key == "$default":
        return {}
    wanted, _, template = key.partition(" ")
    if wanted not in ("ANY", method):
        return None
    parts, given = template.split("/"), path.split("/")
    greedy = parts[-1].endswith("+}")
    if len(given) < len(parts) or (len(given) > len(parts) and not greedy):
        return None
    found: dict[str, str] = {}
    for index, part in enumerate(parts):
        if part.endswith("+}"):
            found[part[1:-2]] = "/".join(given[index:])
        elif part.startswith("{"):
            found[part[1:-1]] = given[index]
        elif part != given[index]:
            return None
    return found if all(found.values()) else None
