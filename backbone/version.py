"""The version of this tool."""

__all__ = ["__version__"]

__version__ = "0.1.0"
