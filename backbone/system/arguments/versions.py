"""Which versions of the AWS provider a stack allows."""

from __future__ import annotations

import re

__all__ = ["majors"]

Version = tuple[int, ...]


def majors(constraint: str) -> frozenset[int]:
    """The major versions, of 5 and 6, that a constraint such as `>= 5.100.0, < 7.0.0` allows."""
    parts = re.findall(r"(!=|>=|<=|~>|>|<|=)?\s*(\d+(?:\.\d+)*)", constraint)
    conditions = [(operator or "=", tuple(map(int, version.split(".")))) for operator, version in parts]
    named = [_padded(version) for _, version in conditions]
    candidates = [*named, *((major, minor, 0) for major in (5, 6) for minor in (0, 9999))]
    allowed = {version[0] for version in candidates if all(_admits(*condition, version) for condition in conditions)}
    return frozenset({5, 6} & allowed)


def _padded(version: Version) -> Version:
    return (*version, 0, 0, 0)[:3]


def _admits(operator: str, version: Version, candidate: Version) -> bool:
    bound = _padded(version)
    if operator == "~>":  # the last part that is written may grow
        return candidate >= bound and candidate[: len(version) - 1] == version[:-1]
    return {
        "=": candidate == bound,
        "!=": candidate != bound,
        ">": candidate > bound,
        ">=": candidate >= bound,
        "<": candidate < bound,
        "<=": candidate <= bound,
    }[operator]
