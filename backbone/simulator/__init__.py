"""The synthesized Terraform, run on this machine: what reaches whom, what is denied, and what would be lost."""

from backbone.simulator.faults import Fault
from backbone.simulator.simulator import Simulator
from backbone.trace import Node, Trace

__all__ = ["Fault", "Node", "Simulator", "Trace"]
