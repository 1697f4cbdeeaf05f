"""The security gate: what checkov, parliament and pip-audit say of the stacks and of the packages, and the SBOM."""
