"""The code of the service, which never runs."""

__all__ = ["on_event"]


def on_event(event: object, context: object) -> None:
    """Do nothing."""
