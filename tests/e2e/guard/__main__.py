"""Serves the emulator with the guard before it: `python -m tests.e2e.guard PORT LOG`.

The log has a line of JSON for each request of somebody who is not an administrator.
"""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from threading import Lock
from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.server import MotoRequestHandler  # type: ignore[attr-defined]
from werkzeug.serving import run_simple

from backbone.aws.arn import Place
from backbone.system.iam import Decision, Identity, authorize
from backbone.system.iam.request import Request
from tests.e2e.guard import identities
from tests.e2e.guard.calls import TAG, Call, read, request_tags, resources, token
from tests.e2e.guard.identities import Identities, trust

Environ = dict[str, Any]
Start = Callable[..., Any]

FREE = ("GetCallerIdentity", "GetSessionToken")
PASSED = {"CreateFunction": "lambda", "UpdateFunctionConfiguration": "lambda", "PutTargets": "events"}
"""The operations by which a service is given a role."""


class Guard:
    """Lets in what the policies in the emulator's IAM allow, answers 403 to all else, and notes both."""

    def __init__(self, app: Callable[[Environ, Start], Iterable[bytes]], log: Path) -> None:
        self._app, self._log, self._lock = app, log, Lock()
        self._identities = Identities()
        self._tags: dict[str, Mapping[str, str]] = {}
        self._functions: dict[str, str] = {}

    def __call__(self, environ: Environ, start: Start) -> Iterable[bytes]:
        """Answer a request."""
        body = _take_body(environ)
        if not environ.get("HTTP_AUTHORIZATION") and b"WebIdentityToken" not in body:
            return self._app(environ, start)
        call = read(environ, body)
        who = self._identities.of(call.key)
        if call.service != "sts":
            account = who.account_id if who else "123456789012"
            call = replace(call, place=Place("aws", call.place.region, account))
        decision = self._decide(call, who)
        if decision is not None:
            self._note(call, who, decision)
            if not decision:
                return _refuse(call, decision, start)
        status: list[str] = []
        answer = b"".join(self._app(environ, _listening(start, status)))
        if status[0].startswith("2"):
            self._learn(call, answer)
        return [answer]

    def _decide(self, call: Call, who: Identity | None) -> Decision | None:
        """Whether a request may pass; None where nobody asks that: of an administrator, and of who says who one is."""
        if call.operation == "AssumeRoleWithWebIdentity":
            return _vouched(call)
        if who is None or who.policies is None or call.operation in FREE:
            return None
        if call.operation == "AssumeRole":
            arn = str(call.body["RoleArn"])
            given = trust(arn)
            return authorize(
                who, "sts:AssumeRole", arn, owner=arn.split(":")[4], policies=[given] if given else [], context={}
            )
        for action, resource, context in self._needed(call):
            decision = authorize(who, action, resource, owner=who.account_id, context=context)
            if not decision:
                return decision
        return decision

    def _needed(self, call: Call) -> Iterable[tuple[str, str, Mapping[str, str | None]]]:
        for resource in resources(call):
            yield call.action, resource, self._context(call, resource)
        roles = [call.body.get("Role"), *(target.get("RoleArn") for target in call.body.get("Targets", ()))]
        for role in filter(None, roles):
            if call.operation in PASSED:
                yield "iam:PassRole", role, {"iam:PassedToService": f"{PASSED[call.operation]}.amazonaws.com"}
        for layer in call.body.get("Layers", ()) if call.service == "lambda" else ():
            yield "lambda:GetLayerVersion", layer, {}
        if call.operation == "PutDeliverySource":
            yield "events:AllowVendedLogDeliveryForResource", call.body["resourceArn"], {}

    def _context(self, call: Call, resource: str) -> Mapping[str, str | None]:
        known = next(
            (tags for arn, tags in self._tags.items() if resource == arn or resource.startswith(f"{arn}/")), {}
        )
        context: dict[str, str | None] = {
            f"aws:RequestTag/{TAG}": request_tags(call).get(TAG),
            f"aws:ResourceTag/{TAG}": known.get(TAG),
            "aws:RequestedRegion": call.place.region,
        }
        if call.service == "iam":
            context["iam:PermissionsBoundary"] = call.body.get("PermissionsBoundary") or identities.boundary(resource)
        if call.service == "lambda":
            name = call.body.get("FunctionName") or self._functions.get(str(call.body.get("UUID")))
            context["lambda:FunctionArn"] = name and (
                name if name.startswith("arn:") else call.place.arn("lambda", f"function:{name}")
            )
        if call.service == "kms":
            name = str(call.body.get("KeyId"))
            context["kms:RequestAlias"] = name if name.startswith("alias/") else None
        if call.service == "s3":
            context["s3:prefix"] = call.query.get("prefix", "")
        return context

    def _learn(self, call: Call, answer: bytes) -> None:
        """Keep what is needed to judge later requests: sessions, tags, and whose mapping is whose."""
        if call.operation in ("AssumeRole", "AssumeRoleWithWebIdentity"):
            self._identities.remember(answer, str(call.body["RoleArn"]))
        elif call.operation == "CreateEventSourceMapping":
            self._functions[json.loads(answer)["UUID"]] = str(call.body["FunctionName"])
        elif call.operation == "CreateApi":
            arn = f"arn:aws:apigateway:{call.place.region}::/apis/{json.loads(answer)['apiId']}"
            self._tags[arn] = request_tags(call)
        elif call.operation == "CreateKey":
            self._tags[json.loads(answer)["KeyMetadata"]["Arn"]] = request_tags(call)
        elif call.operation == "CreateDelivery":
            self._tags[json.loads(answer)["delivery"]["arn"]] = request_tags(call)

    def _note(self, call: Call, who: Identity | None, decision: Decision) -> None:
        line = {"who": who.name if who else "", "action": call.action, "allowed": decision.allowed, "why": decision.why}
        with self._lock, self._log.open("a") as file:
            file.write(json.dumps(line) + "\n")


def _vouched(call: Call) -> Decision:
    """Whether the trust policy of a role takes the token of a job."""
    host, claims = token(call)
    arn = str(call.body["RoleArn"])
    given = trust(arn)
    request = Request("sts:AssumeRoleWithWebIdentity", arn, claims)
    applies = any(one.allows and one.applies(request) is True for one in given.statements) if given else False
    if applies and identities.trusts_provider(arn, host):
        return Decision(True, "the token")
    return Decision(False, f"{arn} does not take the token of {claims}")


def _take_body(environ: Environ) -> bytes:
    """The body of a request, which can be read again afterwards."""
    if environ.get("wsgi.input_terminated"):
        body: bytes = environ["wsgi.input"].read()
    else:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = io.BytesIO(body)
    environ["CONTENT_LENGTH"] = str(len(body))
    return body


def _listening(start: Start, status: list[str]) -> Start:
    def begin(words: str, headers: list[tuple[str, str]], *more: Any) -> Any:
        status.append(words)
        return start(words, headers, *more)

    return begin


def _refuse(call: Call, decision: Decision, start: Start) -> Iterable[bytes]:
    """The answer that AWS gives, in the form of the service."""
    words = f"not authorized to perform: {call.action}: {decision.why}"
    if call.service in ("iam", "sts"):
        kind = "text/xml"
        text = (
            "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code>"
            f"<Message>{words}</Message></Error><RequestId>1</RequestId></ErrorResponse>"
        )
    elif call.service == "s3":
        kind, text = "application/xml", f"<Error><Code>AccessDenied</Code><Message>{words}</Message></Error>"
    else:
        kind = "application/x-amz-json-1.1"
        text = json.dumps({"__type": "AccessDeniedException", "message": words})
    data = text.encode()
    headers = [
        ("Content-Type", kind),
        ("x-amzn-ErrorType", "AccessDeniedException"),
        ("Content-Length", str(len(data))),
    ]
    start("403 Forbidden", headers)
    return [data]


def main() -> None:
    """Serve until the process is ended."""
    app = DomainDispatcherApplication(create_backend_app)
    run_simple(
        "127.0.0.1",
        int(sys.argv[1]),
        Guard(app, Path(sys.argv[2])),
        threaded=True,
        request_handler=MotoRequestHandler,
    )


if __name__ == "__main__":
    main()
