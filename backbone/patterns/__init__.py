"""Event patterns: check, match and explain, as EventBridge does.

Where AWS's documentation is silent, the semantics are those of event-ruler, the engine that AWS open-sourced.
Pure Python without dependencies.
"""

from backbone.patterns.explain import Explanation
from backbone.patterns.pattern import Pattern, as_event
from backbone.patterns.pattern_set import PatternSet
from backbone.patterns.tree import PatternError

__all__ = ["Explanation", "Pattern", "PatternError", "PatternSet", "as_event"]
