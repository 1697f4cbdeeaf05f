"""What a user declares in the backbone's file."""

from backbone.topology.load import (
    TopologyError,
    environments,
    find,
    load,
    output_folder,
    parse,
    places,
    require_environment,
    selected,
)
from backbone.topology.models import Topology

__all__ = [
    "Topology",
    "TopologyError",
    "environments",
    "find",
    "load",
    "output_folder",
    "parse",
    "places",
    "require_environment",
    "selected",
]
