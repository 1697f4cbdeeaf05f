"""What the tests of AWS's answers share: botocore judges every call of functions."""

from __future__ import annotations

from tests.judge import judged

__all__ = ["judged"]
