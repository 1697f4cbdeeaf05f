"""The surroundings of the services' functions, for what those share."""

from __future__ import annotations

from tests.services.conftest import aws

__all__ = ["aws"]
