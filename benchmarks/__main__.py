"""Run all measurements, or those that are named, and print their tables."""

import sys

from rich.console import Console

from benchmarks import patterns, review, server, services, simulator, synthesis

ALL = {
    "patterns": patterns.main,
    "review": review.main,
    "server": server.main,
    "services": services.main,
    "simulator": simulator.main,
    "synthesis": synthesis.main,
}

for name in sys.argv[1:] or ALL:
    ALL[name](Console())
