"""Every command: each of these files adds its own to the app when it is imported."""

from backbone.cli import (  # noqa: F401
    accounts,
    additions,
    bootstrap,
    check,
    ci,
    deployment,
    development,
    diff,
    handover,
    init,
    keys,
    layer,
    lock,
    moves,
    patterns,
    review,
    simulate,
    topology,
)
