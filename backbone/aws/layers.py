"""Public Lambda layers: what is in them, and for which Pythons and processors they are made."""

from __future__ import annotations

import re

__all__ = ["PUBLIC", "architecture_of", "python_of"]

PUBLIC: dict[str, tuple[str, ...]] = {
    "arn:*:lambda:*:*:layer:AWSLambdaPowertoolsPythonV2*": ("aws-lambda-powertools[all]>=2,<3",),
    "arn:*:lambda:*:*:layer:AWSLambdaPowertoolsPythonV3-*": ("aws-lambda-powertools[all]>=3,<4",),
    "arn:*:lambda:*:*:layer:AWS-Parameters-and-Secrets-Lambda-Extension*": (),
    "arn:*:lambda:*:*:layer:LambdaInsightsExtension*": (),
}
"""The Python packages, as requirements, in layers of AWS whose ARNs match a pattern with `*` (Powertools for AWS Lambda
documentation, "Lambda Layer"). The extensions have none."""


def architecture_of(layer: str) -> str | None:
    """The architecture that a layer's name tells, as Lambda spells it; None when it tells none."""
    if re.search(r"arm64|aarch64", layer, re.IGNORECASE):
        return "arm64"
    return "x86_64" if re.search(r"x86|x64|amd64", layer, re.IGNORECASE) else None


def python_of(layer: str) -> str | None:
    """The runtime that a layer's name tells, such as `python3.13`; None when it tells none."""
    found = re.search(r"(?:python|py)-?3[._-]?(\d{1,2})(?!\d)", layer, re.IGNORECASE)
    return f"python3.{found[1]}" if found else None
