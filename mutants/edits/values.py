"""What can be wrong with a value of each JSON type, whatever it stands for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mutants.documents import REMOVED, Path, Rename

__all__ = ["Change", "misspelt", "of_entries", "of_value", "texts"]

Change = tuple[str, Path, Any]
"""What is done, where, and what stands there then."""

ENUMS: dict[str, tuple[str, ...]] = {
    "architectures": ("arm64", "x86_64"),
    "authorization_type": ("NONE", "AWS_IAM", "JWT", "CUSTOM"),
    "billing_mode": ("PAY_PER_REQUEST", "PROVISIONED"),
    "include_detail": ("NONE", "FULL"),
    "integration_type": ("AWS_PROXY", "HTTP_PROXY", "MOCK"),
    "level": ("OFF", "ERROR", "INFO", "TRACE"),
    "log_format": ("JSON", "Text"),
    "log_type": ("ERROR_LOGS", "INFO_LOGS", "TRACE_LOGS"),
    "mode": ("Active", "PassThrough"),
    "payload_format_version": ("1.0", "2.0"),
    "protocol_type": ("HTTP", "WEBSOCKET"),
    "runtime": ("python3.13", "python3.12", "python2.7", "nodejs22.x"),
    "type": ("S", "N", "B"),
}
"""The values of arguments that allow few (AWS's API references)."""


def misspelt(text: str) -> str:
    """A text without its middle character; a short one with a character more."""
    middle = len(text) // 2
    return f"{text}x" if len(text) < 3 else text[:middle] + text[middle + 1 :]


def of_value(value: Any, path: Path) -> Iterator[Change]:
    """Every edit of a value and of what is within it, but for expressions."""
    yield "removed", path, REMOVED
    if not isinstance(path[-1], int):
        yield "null", path, None
        yield "key misspelt", path, Rename(misspelt(str(path[-1])))
    if isinstance(value, bool):
        yield "flipped", path, not value
        yield "text for a flag", path, "perhaps"
    elif isinstance(value, int | float):
        yield from _number(value, path)
    elif isinstance(value, str):
        yield from texts(value, path)
    elif isinstance(value, list):
        yield from _list(value, path)
    elif isinstance(value, dict):
        yield "emptied", path, {}
        yield "text for a block", path, "text"
        yield from of_entries(value, path)


def of_entries(value: dict[str, Any], path: Path) -> Iterator[Change]:
    """Every edit of the entries of an object, and one entry that does not belong there."""
    yield "unknown argument", (*path, "no_such_argument"), "text"
    for key, part in value.items():
        yield from of_value(part, (*path, key))


def texts(value: str, path: Path) -> Iterator[Change]:
    """Every edit of a text; of one with expressions only those that leave none."""
    yield "emptied", path, ""
    if "${" in value:
        return
    yield "misspelt", path, misspelt(value)
    yield "over-long", path, value + "x" * 5_000
    yield "wrong characters", path, f"{value} §!"
    if value.swapcase() != value:
        yield "other case", path, value.swapcase()
    name = next((step for step in reversed(path) if isinstance(step, str)), "")
    for other in ENUMS.get(name, ()):
        if value in ENUMS[name] and other != value:
            yield "other value", path, other


def _number(value: float, path: Path) -> Iterator[Change]:
    for what, after in (
        ("zero", 0),
        ("negative", -1),
        ("over the maximum", 10**9),
        ("one less", value - 1),
        ("one more", value + 1),
        ("a fraction", value + 0.5),
        ("text for a number", "many"),
    ):
        if after != value:
            yield what, path, after


def _list(value: list[Any], path: Path) -> Iterator[Change]:
    if value:
        yield "emptied", path, []
    yield "text for a list", path, "text"
    for index, part in enumerate(value):
        yield "element duplicated", path, [*value[: index + 1], part, *value[index + 1 :]]
        yield from of_value(part, (*path, index))
