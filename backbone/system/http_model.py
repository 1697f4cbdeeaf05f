"""HTTP APIs as the Terraform makes them: routes, what answers them, who may call, and stages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from backbone.system.model import Resource

__all__ = ["Authorization", "Cors", "HttpApi", "Integration", "Jwt", "Route", "Stage"]

Authorization = Literal["NONE", "AWS_IAM", "JWT", "CUSTOM"]


@dataclass(frozen=True, eq=False, kw_only=True)
class Jwt:
    """The tokens that a route takes: who issues them, and whom they must be for."""

    issuer: str
    audience: tuple[str, ...]
    identity_source: str


@dataclass(frozen=True, eq=False, kw_only=True)
class Integration:
    """What answers a route: a function, or something else."""

    address: str
    type: str
    function_arn: str | None
    payload_version: str
    timeout_seconds: float


@dataclass(frozen=True, eq=False, kw_only=True)
class Route:
    """A route of an API: its key, such as `POST /orders`, who may call it, and what answers."""

    address: str
    key: str
    authorization: Authorization
    scopes: tuple[str, ...]
    jwt: Jwt | None
    integration: Integration | None

    @property
    def function_arn(self) -> str | None:
        """The function that answers; None where none does."""
        return self.integration.function_arn if self.integration else None


@dataclass(frozen=True, eq=False, kw_only=True)
class Stage:
    """A deployed version of an API; `$default` has no path of its own. None is AWS's default rate."""

    address: str
    name: str
    deployed: bool
    rate: float | None
    burst: int | None
    variables: Mapping[str, str]
    access_log_arn: str | None
    access_log_format: str


@dataclass(frozen=True, eq=False, kw_only=True)
class Cors:
    """What an API answers browsers that ask whether a page may call it."""

    origins: tuple[str, ...]
    methods: tuple[str, ...]
    headers: tuple[str, ...]
    exposed: tuple[str, ...]
    max_age_seconds: int
    credentials: bool


@dataclass(frozen=True, eq=False, kw_only=True)
class HttpApi(Resource):
    """An HTTP API. Its ARN here is that of its execution, which permissions name."""

    id: str
    protocol: str
    endpoint_disabled: bool
    routes: tuple[Route, ...]
    stages: tuple[Stage, ...]
    cors: Cors | None

    @property
    def host(self) -> str:
        """Its host name on AWS."""
        return f"{self.id}.execute-api.{self.place.region}.{self.place.dns_suffix}"
