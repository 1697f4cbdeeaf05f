"""What a user declares in the backbone's file."""

from backbone.topology.load import TopologyError, find, load, output_folder, parse
from backbone.topology.models import Topology

__all__ = ["Topology", "TopologyError", "find", "load", "output_folder", "parse"]
