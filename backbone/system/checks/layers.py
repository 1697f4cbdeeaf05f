"""Layers of functions: whether they fit the function, and what is known of them.

Sources: Lambda developer guide, "Adding layers to functions" and "Working with layers for Python Lambda functions".
"""

from __future__ import annotations

from collections.abc import Iterator

from backbone.aws.arn import Arn, ArnError
from backbone.aws.layers import architecture_of, python_of
from backbone.system import layers
from backbone.system.findings import Finding, finding
from backbone.system.model import Function, System

__all__ = ["check"]


def check(system: System) -> Iterator[Finding]:
    """What is wrong with layers."""
    for function in system.of(Function):
        unversioned = [layer.rpartition(":")[0] for layer in function.layers]
        for layer in sorted({layer_arn for layer_arn in unversioned if unversioned.count(layer_arn) > 1}):
            yield finding("BB316", function.address, f"the layer {layer} is given twice")
        for layer in function.layers:
            for words in _misfits(function, layer):
                yield finding("BB316", function.address, f"the layer {layer} {words}")
            if layers.packages(system, layer) is None:
                words = f"nothing is known of the layer {layer}: here the function can import nothing of it"
                yield finding("BB317", function.address, words)


def _misfits(function: Function, layer: str) -> Iterator[str]:
    try:
        arn = Arn.parse(layer)
    except ArnError:
        return  # that it is no ARN is a finding of its own
    place = function.place
    if (arn.partition, arn.region) != (place.partition, place.region):
        yield f"is in {arn.region}; allowed: {place.region}, the function's region"
    made_for = architecture_of(layer)
    if made_for not in (None, function.architecture):
        yield f"is made for {made_for}; the function runs on {function.architecture}"
    python = python_of(layer)
    if python not in (None, function.runtime):
        yield f"is made for {python}; the function runs on {function.runtime}"
