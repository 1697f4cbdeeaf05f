"""Which versions of the AWS provider a stack allows."""

from __future__ import annotations

import re

__all__ = ["is_constraint", "majors", "terraforms"]

Version = tuple[int, ...]

PART = r"(?:!=|>=|<=|~>|>|<|=)?\s*v?\d+(?:\.\d+){0,2}(?:-[\w.]+)?"
LATEST_MINOR = 99
"""Beyond any minor version of Terraform 1."""


def is_constraint(text: str) -> bool:
    """Whether a text is a version constraint (Terraform language, "Version Constraints")."""
    return re.fullmatch(rf"\s*{PART}\s*(,\s*{PART}\s*)*", text) is not None


def terraforms(constraint: str) -> bool:
    """Whether a constraint allows any Terraform 1."""
    return any(_allows(constraint, (1, minor, patch)) for minor in range(LATEST_MINOR) for patch in (0, 9))


def majors(constraint: str) -> frozenset[int]:
    """The major versions, of 5 and 6, that a constraint such as `>= 5.100.0, < 7.0.0` allows."""
    named = [_padded(version) for _, version in _conditions(constraint)]
    candidates = [*named, *((major, minor, 0) for major in (5, 6) for minor in (0, 9999))]
    return frozenset({5, 6} & {version[0] for version in candidates if _allows(constraint, version)})


def _conditions(constraint: str) -> list[tuple[str, Version]]:
    parts = re.findall(r"(!=|>=|<=|~>|>|<|=)?\s*(\d+(?:\.\d+)*)", constraint)
    return [(operator or "=", tuple(map(int, version.split(".")))) for operator, version in parts]


def _allows(constraint: str, version: Version) -> bool:
    return all(_admits(*condition, version) for condition in _conditions(constraint))


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
