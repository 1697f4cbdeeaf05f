"""The synthesized Terraform, run on this machine: what reaches whom, what is denied, and what would be lost."""

from backbone.simulator.faults import Fault
from backbone.simulator.messages import Message
from backbone.simulator.put_events import PutEventsError
from backbone.simulator.simulator import Simulator, SimulatorError

__all__ = ["Fault", "Message", "PutEventsError", "Simulator", "SimulatorError"]
