"""Lambda layers that everybody may have: what is in them, and for which Pythons and processors they are made."""

from __future__ import annotations

import re

__all__ = ["POWERTOOLS", "POWERTOOLS_OWNER", "POWERTOOLS_OWNERS", "PUBLIC", "architecture_of", "python_of"]

POWERTOOLS = ("aws-lambda-powertools[all]>=3,<4",)
"""What is in the Powertools layer of version 3, as a requirement: Powertools with all extras (Powertools for AWS Lambda
documentation, "Lambda Layer")."""

POWERTOOLS_OWNER = "017000801446"
"""The account that publishes the Powertools layers in AWS's commercial regions (same page)."""

POWERTOOLS_OWNERS = {
    "cn-north-1": "498634801083",
    "us-gov-east-1": "165087284144",
    "us-gov-west-1": "165093116878",
}
"""The accounts that publish them elsewhere, by region (same page)."""

PUBLIC: dict[str, tuple[str, ...]] = {
    **{
        f"arn:*:lambda:*:{owner}:layer:AWSLambdaPowertoolsPython{name}": packages
        for owner in (POWERTOOLS_OWNER, *POWERTOOLS_OWNERS.values())
        for name, packages in (("V2*", ("aws-lambda-powertools[all]>=2,<3",)), ("V3-*", POWERTOOLS))
    },
    "arn:*:lambda:*:*:layer:event-backbone-*": ("event-backbone",),
    "arn:*:lambda:*:*:layer:AWS-Parameters-and-Secrets-Lambda-Extension*": (),
    "arn:*:lambda:*:*:layer:LambdaInsightsExtension*": (),
}
"""The Python packages, as requirements, in layers whose ARNs match a pattern with `*`: those of AWS (Powertools for AWS
Lambda documentation, "Lambda Layer"; the extensions have none), and that which `backbone layer` writes."""


def architecture_of(layer: str) -> str | None:
    """The architecture that a layer's name tells, as Lambda spells it; None when it tells none."""
    if re.search(r"arm64|aarch64", layer, re.IGNORECASE):
        return "arm64"
    return "x86_64" if re.search(r"x86|x64|amd64", layer, re.IGNORECASE) else None


def python_of(layer: str) -> str | None:
    """The runtime that a layer's name tells, such as `python3.13`; None when it tells none."""
    found = re.search(r"(?:python|py)-?3[._-]?(\d{1,2})(?!\d)", layer, re.IGNORECASE)
    return f"python3.{found[1]}" if found else None
