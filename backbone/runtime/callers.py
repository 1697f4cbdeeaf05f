"""Who calls an HTTP API, by the same name in every call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["principal"]


def principal(request_context: Mapping[str, Any]) -> str:
    """Who made a call, from the `requestContext` of payload 2.0; empty where the route asks for nobody.

    The name outlives credentials: a role without its session, whose name changes with every container; a token's
    subject with its issuer; an identity of a Cognito pool instead of the role that all of them assume.
    """
    authorizer = request_context.get("authorizer") or {}
    if claims := (authorizer.get("jwt") or {}).get("claims"):
        return f"{claims.get('iss', '')}#{claims.get('sub') or claims.get('client_id', '')}"
    iam = authorizer.get("iam") or {}
    if identity := (iam.get("cognitoIdentity") or {}).get("identityId"):
        return str(identity)
    arn = str(iam.get("userArn") or "")
    head, slash, rest = arn.partition(":assumed-role/")
    return f"{head}{slash}{rest.rpartition('/')[0]}" if slash else arn
