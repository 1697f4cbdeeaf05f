"""JSON Web Tokens, as the JWT authorizer of an HTTP API checks them.

API Gateway developer guide, "Control access to HTTP APIs with JWT authorizers".
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backbone.errors import BackboneError
from backbone.system.http_model import Jwt

__all__ = ["KeySet", "Verified", "verify"]


@dataclass(frozen=True)
class Verified:
    """A token that is in order: what it claims, and the scopes it has."""

    claims: Mapping[str, Any]
    scopes: tuple[str, ...]


class KeySet:
    """The public keys of an issuer, as it serves them; without any, signatures are not checked."""

    def __init__(self, keys: Mapping[str, Any] | None = None) -> None:
        self._set: Any = None
        if keys is not None:
            from joserfc.jwk import KeySet as Keys

            try:
                self._set = Keys.import_key_set(dict(keys))  # type: ignore[arg-type]
            except Exception as error:
                raise BackboneError(f"the key set cannot be read: {error}; allowed: a JSON Web Key Set") from None

    @classmethod
    def load(cls, file: Path) -> KeySet:
        """The keys of a file, a JSON Web Key Set; BackboneError when it cannot be read."""
        try:
            read = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise BackboneError(f"{file}: cannot be read: {error}; allowed: a JSON Web Key Set") from None
        if not isinstance(read, dict):
            raise BackboneError(f"{file}: is not a JSON Web Key Set")
        return cls(read)

    def claims(self, token: str) -> Mapping[str, Any] | None:
        """What a token claims; None when it is no token or, where keys are known, was not signed by one of them."""
        if self._set is None:
            return _unverified(token)
        from joserfc import jwt
        from joserfc.errors import JoseError

        try:
            claims: Mapping[str, Any] = jwt.decode(token, self._set).claims
        except (JoseError, ValueError):
            return None
        return claims


def _unverified(token: str) -> Mapping[str, Any] | None:
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        read = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        return None
    return read if isinstance(read, dict) else None


def verify(jwt: Jwt, token: str, keys: KeySet, now: float) -> Verified | None:
    """A token as an authorizer accepts it at a time, in seconds since 1970; None when it does not."""
    claims = keys.claims(token.removeprefix("Bearer ").strip())
    if claims is None or claims.get("iss") != jwt.issuer or not _is_for(claims, jwt.audience):
        return None
    expires, begins, issued = (_seconds(claims, name) for name in ("exp", "nbf", "iat"))
    if expires is None or not now < expires or (begins or 0) > now or (issued or 0) > now:
        return None
    if any(claims.get(name) is not None and _seconds(claims, name) is None for name in ("nbf", "iat")):
        return None
    scopes = claims.get("scope", claims.get("scp", ""))
    listed = scopes if isinstance(scopes, list) else str(scopes).split()
    return Verified(claims, tuple(map(str, listed)))


def _is_for(claims: Mapping[str, Any], audience: tuple[str, ...]) -> bool:
    """Whether a token is for somebody in the audience: by `aud`, or by `client_id` where that is absent."""
    given = claims.get("aud", claims.get("client_id"))
    listed = given if isinstance(given, list) else [given]
    return any(name in audience for name in listed if isinstance(name, str))


def _seconds(claims: Mapping[str, Any], name: str) -> float | None:
    value = claims.get(name)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
