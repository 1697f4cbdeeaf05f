"""One bootstrap of each example per session."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest

from tests.deployment.bootstrapped import Bootstrapped, bootstrap, document


@pytest.fixture(scope="session")
def bootstrapped(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Bootstrapped]:
    """An example with `deployment`, bootstrapped, by its name."""

    @cache
    def of(name: str) -> Bootstrapped:
        return bootstrap(tmp_path_factory.mktemp(name) / "cdktf.out", document(name))

    return of
