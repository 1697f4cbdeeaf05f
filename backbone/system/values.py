"""The arguments of a resource block, each of the type that its reader asks for."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from backbone.system.terraform import Block, Configuration, TerraformError, as_text

__all__ = ["Values"]


@dataclass(frozen=True)
class Values:
    """The arguments and attributes of a block, or of a block nested in it.

    Null and absent are the same. Every getter raises TerraformError, with address and key, for a value of another type.
    """

    configuration: Configuration
    block: Block
    path: str = ""
    nested: Mapping[str, Any] | None = None

    def value(self, name: str) -> Any:
        """A value of any type; None when it is absent."""
        return self.configuration.value(self.block, name) if self.nested is None else self.nested.get(name)

    def text(self, name: str, default: str | None = None) -> str:
        """A text, which must be there unless there is a default. Numbers and truth values are texts to Terraform."""
        found = self.optional_text(name)
        if found is None:
            if default is None:
                raise self.wrong(name, None, "text")
            return default
        return found

    def optional_text(self, name: str) -> str | None:
        """A text, or None."""
        found = self.value(name)
        if isinstance(found, dict | list):
            raise self.wrong(name, found, "text")
        return None if found is None else as_text(found)

    def integer(self, name: str, default: int) -> int:
        """A whole number; a text of digits is one to Terraform."""
        found = self.value(name)
        if found is None:
            return default
        if isinstance(found, bool) or not re.fullmatch(r"-?[0-9]{1,15}", str(found)):
            raise self.wrong(name, found, "a whole number")
        return int(found)

    def number(self, name: str) -> float | None:
        """A number; None when it is absent."""
        found = self.optional_text(name)
        try:
            return None if found is None else float(found)
        except ValueError:
            raise self.wrong(name, found, "a number") from None

    def flag(self, name: str, *, default: bool) -> bool:
        """A truth value; the texts "true" and "false" are such to Terraform."""
        found = self.value(name)
        if found is None:
            return default
        if found not in (True, False, "true", "false"):
            raise self.wrong(name, found, "true or false")
        return found in (True, "true")

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of texts; empty when it is absent."""
        found = self.value(name)
        if found is None:
            return ()
        if not isinstance(found, list) or not all(isinstance(entry, str) for entry in found):
            raise self.wrong(name, found, "a list of texts")
        return tuple(found)

    def mapping(self, name: str) -> dict[str, str]:
        """A mapping of texts; empty when it is absent."""
        found = self.value(name)
        if found is None:
            return {}
        if not isinstance(found, dict) or any(isinstance(value, dict | list) for value in found.values()):
            raise self.wrong(name, found, "a mapping of texts")
        return {key: as_text(value) for key, value in found.items() if value is not None}

    def part(self, name: str) -> Values:
        """A nested block, written as an object or as a list of one; empty when there is none."""
        found = self.value(name)
        found = found[0] if isinstance(found, list) and len(found) == 1 else found
        if found is None or found == []:
            found = {}
        if not isinstance(found, dict):
            raise self.wrong(name, found, "one block, as an object")
        return Values(self.configuration, self.block, f"{self.path}{name}.", found)

    def parts(self, name: str) -> list[Values]:
        """The nested blocks of a name, written as an object or as a list of objects."""
        found = self.value(name) or []
        listed = found if isinstance(found, list) else [found]
        if not all(isinstance(part, dict) for part in listed):
            raise self.wrong(name, found, "blocks, as a list of objects")
        return [Values(self.configuration, self.block, f"{self.path}{name}.", part) for part in listed]

    @property
    def empty(self) -> Values:
        """A block without arguments, in which everything has its default."""
        return Values(self.configuration, self.block, self.path, {})

    def document(self, name: str) -> dict[str, Any]:
        """A JSON object in a text; empty when it is absent."""
        text = self.optional_text(name)
        if text is None:
            return {}
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            raise self.wrong(name, text, "an object in JSON") from None
        if not isinstance(found, dict):
            raise self.wrong(name, text, "an object in JSON")
        return found

    def wrong(self, name: str, got: Any, allowed: str) -> TerraformError:
        """The error for a value that is not allowed."""
        shown = "nothing" if got is None else json.dumps(got)
        shown = shown if len(shown) <= 80 else f"{shown[:60]}… ({len(shown):,} characters)"
        return TerraformError(f"{self.block.id}: {self.path}{name}: got {shown}; allowed: {allowed}")
