"""A cross-account event backbone on Amazon EventBridge, from one file to Terraform."""

__all__ = ["BackboneError"]


class BackboneError(Exception):
    """A mistake in what the user gave, told in full by its text: commands print that, without a traceback."""
