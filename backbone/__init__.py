"""A cross-account event backbone on Amazon EventBridge: one file in, Terraform out, and both proven on this machine.

This is the public API: names that keep their meaning from version to version. Each is loaded when it is first used,
so that `import backbone` costs nothing.

```python
import backbone

topology = backbone.load(Path("backbone.yaml"))
backbone.synth(topology, Path("cdktf.out"))
with backbone.Simulator.load("cdktf.out") as simulator:
    simulator.put_events([{"Source": "order-service", "DetailType": "Order.Created", "Detail": "{}"}], caller="order")
    assert not simulator.run_until_idle().lost
```
"""

from __future__ import annotations

import importlib

from backbone.errors import BackboneError
from backbone.version import __version__

TYPE_CHECKING = False  # typing's own takes as long to import as all else, and Ctrl-C would print its traceback
if TYPE_CHECKING:
    from typing import Any

    from backbone.patterns import Explanation, Pattern, PatternError, PatternSet
    from backbone.simulator import Fault, Simulator
    from backbone.synthesis.output import Stack, synth
    from backbone.topology.load import TopologyError, load, parse
    from backbone.topology.models import Topology
    from backbone.trace import Node, Trace

__all__ = [
    "BackboneError",
    "Explanation",
    "Fault",
    "Node",
    "Pattern",
    "PatternError",
    "PatternSet",
    "Simulator",
    "Stack",
    "Topology",
    "TopologyError",
    "Trace",
    "__version__",
    "load",
    "parse",
    "synth",
]

_HOMES = {
    "backbone.patterns": ("Explanation", "Pattern", "PatternError", "PatternSet"),
    "backbone.simulator": ("Fault", "Simulator"),
    "backbone.synthesis.output": ("Stack", "synth"),
    "backbone.topology": ("Topology", "TopologyError", "load", "parse"),
    "backbone.trace": ("Node", "Trace"),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'backbone' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
