"""HTTP APIs as API Gateway has them: routes, callers, tokens, CORS, payloads, malformed answers, limits."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet as Keys
from joserfc.jwk import RSAKey

from backbone.constructs.http_api import Cors, HttpApi, Jwt
from backbone.constructs.service import Service
from backbone.simulator import Fault, Simulator, SimulatorError
from backbone.simulator.http_payload import HttpCall, Way, answer_of, event_of
from backbone.simulator.tokens import KeySet
from backbone.system import http_model
from tests.simulator.conftest import ORDER, Edit

Built = Callable[..., Simulator]
Load = Callable[..., Simulator]
ISSUER = "https://issuer.example"
ECHO = "import json\ndef handle(event, context): return {'statusCode': 200, 'body': json.dumps(event)}"
REPLAY = "import json\ndef handle(event, context): return json.loads(event['body'])"


def api(*routes: str, timeout_seconds: int = 3, **options: Any) -> Callable[[Service], None]:
    def build(service: Service) -> None:
        function = service.function("f", handler="code.handle", timeout_seconds=timeout_seconds)
        service.subscribe("t", "T", to=function)
        HttpApi(
            service,
            "api",
            account=service.account,
            name="api",
            routes=dict.fromkeys(routes, function),
            log_retention_days=7,
            **{"authorization": "none", **options},
        )

    return build


ROUTES = (
    *("GET /orders", "ANY /orders", "GET /orders/new", "GET /orders/{id}", "ANY /orders/{id}"),
    *("GET /{path+}", "GET /orders/{id}/{rest+}", "ANY /{path+}", "$default"),
)


@pytest.mark.parametrize(
    ("call", "route", "parameters"),
    [
        ("GET /orders", "GET /orders", None),
        ("POST /orders", "ANY /orders", None),
        ("GET /orders/", "GET /{path+}", {"path": "orders/"}),
        ("GET /orders/new", "GET /orders/new", None),
        ("GET /orders/n%20w", "GET /orders/{id}", {"id": "n w"}),
        ("GET /%6Frders/a%2Fb", "GET /orders/{id}/{rest+}", {"id": "a", "rest": "b"}),
        ("GET /orders/a%252Fb", "GET /orders/{id}", {"id": "a%2Fb"}),
        ("DELETE /orders/new", "ANY /orders/{id}", {"id": "new"}),
        ("GET /orders/1/items/2", "GET /orders/{id}/{rest+}", {"id": "1", "rest": "items/2"}),
        ("PUT /orders/1/items", "ANY /{path+}", {"path": "orders/1/items"}),
        ("GET /a/b", "GET /{path+}", {"path": "a/b"}),
        ("GET /", "$default", None),
    ],
)
def test_the_most_specific_route_takes_a_call(
    built: Built, call: str, route: str, parameters: dict[str, str] | None
) -> None:
    method, _, path = call.partition(" ")
    event = built(api(*ROUTES), code=ECHO).http(method, path).body
    assert event["routeKey"] == route
    assert event.get("pathParameters") == parameters


def test_without_a_route_it_is_404(built: Built) -> None:
    sim = built(api("GET /orders"), code=ECHO)
    assert [sim.http(*call.split()).status for call in ("GET /orders/", "POST /orders", "GET /order")] == [404] * 3


def test_callers_need_a_permission_of_their_own(load: Load) -> None:
    sim = load()
    assert sim.http("POST", "/orders", ORDER, caller="order").status == 201
    for caller in (None, "delivery", "bus", "shop-delivery-service-on-event", "shop-order-service-on-event"):
        assert sim.http("POST", "/orders", ORDER, caller=caller).status == 403


def test_a_role_of_the_account_with_the_permission_may_call(edited: Callable[[Edit], Simulator]) -> None:
    def edit(resources: dict[str, Any]) -> None:
        trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "222222222222"}}
        resources["aws_iam_role"]["caller"] = {
            "name": "caller",
            "provider": "aws.order",
            "assume_role_policy": json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
        }
        arn = "${aws_apigatewayv2_api." + next(iter(resources["aws_apigatewayv2_api"])) + ".execution_arn}"
        allow = {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": f"{arn}/$default/GET/health"}
        document = {"Version": "2012-10-17", "Statement": [allow]}
        policy = {"role": "caller", "provider": "aws.order", "policy": json.dumps(document)}
        resources["aws_iam_role_policy"]["caller"] = policy

    sim = edited(edit)
    assert sim.http("GET", "/health", caller="caller").status == 200
    assert sim.http("POST", "/orders", ORDER, caller="caller").status == 403


def unsigned(claims: dict[str, Any]) -> str:
    part = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"Bearer x.{part}.x"


def claims(**more: Any) -> dict[str, Any]:
    found = {"iss": ISSUER, "aud": "shop", "sub": "s", "exp": time.time() + 60} | more
    return {name: value for name, value in found.items() if value is not None}


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({}, 200),
        ({"aud": ["other", "shop"]}, 200),
        ({"aud": None, "client_id": "shop"}, 200),
        ({"aud": "other", "client_id": "shop"}, 401),
        ({"aud": None}, 401),
        ({"iss": "other"}, 401),
        ({"exp": None}, 401),
        ({"exp": 1}, 401),
        ({"exp": "soon"}, 401),
        ({"exp": [1]}, 401),
        ({"exp": True}, 401),
        ({"nbf": 1, "iat": 1}, 200),
        ({"nbf": 99_999_999_999}, 401),
        ({"nbf": "x"}, 401),
        ({"iat": 99_999_999_999}, 401),
    ],
)
def test_tokens_are_checked(built: Built, more: dict[str, Any], status: int) -> None:
    sim = built(api("GET /x", authorization=Jwt(ISSUER, ("shop",))), code=ECHO)
    answer = sim.http("GET", "/x", headers={"Authorization": unsigned(claims(**more))})
    assert answer.status == status
    if status == 401:
        assert answer.body == {"message": "Unauthorized"}


@pytest.mark.parametrize("token", ["", "x", "a.b", "a.b.c", "Bearer", "a.W10.c", "Bearer a.e30=.c"])
def test_what_is_no_token_is_unauthorized(built: Built, token: str) -> None:
    sim = built(api("GET /x", authorization=Jwt(ISSUER, ("shop",))), code=ECHO)
    assert sim.http("GET", "/x", headers={"Authorization": token}).status == 401


def test_a_token_expires_on_the_simulators_clock(built: Built) -> None:
    sim = built(api("GET /x", authorization=Jwt(ISSUER, ("shop",))), code=ECHO)
    headers = {"Authorization": unsigned(claims())}
    assert sim.http("GET", "/x", headers=headers).status == 200
    sim.run_until_idle(at_most=120)
    assert sim.http("GET", "/x", headers=headers).status == 401


def test_with_keys_a_signature_is_checked(load: Load, stacks: Any, built: Built, tmp_path: Any) -> None:
    built(api("GET /x", authorization=Jwt(ISSUER, ("shop",))), code=ECHO)
    key, other = RSAKey.generate_key(2048, {"kid": "a"}), RSAKey.generate_key(2048, {"kid": "a"})
    file = tmp_path / "keys.json"
    file.write_text(json.dumps(Keys([key]).as_dict(private=False)))
    with Simulator.load(tmp_path, keys=KeySet.load(file)) as sim:
        for signer, status in ((key, 200), (other, 401)):
            token = jwt.encode({"alg": "RS256", "kid": "a"}, claims(), signer)
            assert sim.http("GET", "/x", headers={"Authorization": f"Bearer {token}"}).status == status
        assert sim.http("GET", "/x", headers={"Authorization": unsigned(claims())}).status == 401


CORS = Cors(origins=("https://shop.example",), methods=("GET", "POST"), headers=("content-type",))


def test_the_api_itself_answers_browsers(built: Built) -> None:
    sim = built(api("POST /x", cors=CORS), code=ECHO)
    asked = {"Origin": "https://shop.example", "Access-Control-Request-Method": "POST"}
    answer = sim.http("OPTIONS", "/x", headers=asked)
    assert (answer.status, answer.body) == (204, "")
    assert answer.headers["access-control-allow-origin"] == "https://shop.example"
    assert answer.headers["access-control-allow-methods"] == "GET,POST"
    assert answer.headers["access-control-allow-headers"] == "content-type"
    stranger = sim.http("OPTIONS", "/x", headers=asked | {"Origin": "https://evil.example"})
    assert not any(name.startswith("access-control") for name in stranger.headers)
    assert sim.http("POST", "/x", {}, headers=asked).headers["access-control-allow-origin"] == "https://shop.example"
    assert sim.trace().of("invoked")[0].account == "a"
    assert len(sim.trace().of("invoked")) == 1


@pytest.mark.parametrize(
    ("body", "kind", "written", "encoded"),
    [
        ("text", "text/plain", "text", False),
        ({"a": 1}, None, '{"a": 1}', False),
        ("a=1&b=2", "application/x-www-form-urlencoded", base64.b64encode(b"a=1&b=2").decode(), True),
        (b"\x00\xff", "image/png", "AP8=", True),
        (b"\xff", "text/plain", "/w==", True),
        (None, None, None, False),
    ],
)
def test_bodies_that_are_not_text_come_as_base64(
    built: Built, body: Any, kind: str | None, written: str | None, encoded: bool
) -> None:
    sim = built(api("POST /x"), code=ECHO)
    event = sim.http("POST", "/x", body, headers={"content-type": kind} if kind else {}).body
    assert (event.get("body"), event["isBase64Encoded"]) == (written, encoded)


def test_cookies_stand_beside_the_headers_both_ways(built: Built) -> None:
    sim = built(api("POST /x"), code=ECHO)
    event = sim.http("POST", "/x", headers={"Cookie": "a=1; b=2"}).body
    assert event["cookies"] == ["a=1", "b=2"]
    assert "cookie" not in event["headers"]
    answer = built(api("POST /x"), code=REPLAY).http("POST", "/x", {"statusCode": 200, "cookies": ["c=3; Secure"]})
    assert answer.cookies == ("c=3; Secure",)


@pytest.mark.parametrize(
    ("result", "status", "body"),
    [
        ({"statusCode": 201, "body": '{"a": 1}'}, 201, {"a": 1}),
        ({"statusCode": 204}, 204, ""),
        ({"statusCode": 200, "body": "AP8=", "isBase64Encoded": True}, 200, b"\x00\xff"),
        ({"a": 1}, 200, {"a": 1}),
        ("text", 200, "text"),
        (None, 200, None),
        ({"statusCode": "200"}, None, None),
        ({"statusCode": 99}, None, None),
        ({"statusCode": True}, None, None),
        ({"statusCode": 200, "body": {"a": 1}}, None, None),
        ({"statusCode": 200, "headers": ["x"]}, None, None),
        ({"statusCode": 200, "headers": {"x": ["y"]}}, None, None),
        ({"statusCode": 200, "cookies": "c=3"}, None, None),
        ({"statusCode": 200, "body": "%", "isBase64Encoded": True}, None, None),
    ],
)
def test_what_a_function_returns_is_taken_or_malformed(result: Any, status: int | None, body: Any) -> None:
    answer = answer_of(result, "2.0")
    assert (answer.status, answer.body) == (status, body) if answer else status is None


def test_a_malformed_answer_is_500(built: Built) -> None:
    sim = built(api("POST /x"), code=REPLAY)
    assert sim.http("POST", "/x", {"statusCode": "x"}).status == 500
    assert "the function's answer is malformed" in sim.trace().of("failed")[0].words


def test_format_1_has_its_own_shape(load: Load) -> None:
    (api,) = load().system.of(http_model.HttpApi)
    route = next(route for route in api.routes if route.key == "GET /orders/{order_id}")
    assert route.integration is not None
    old = replace(route, integration=replace(route.integration, payload_version="1.0"))
    way = Way(
        api, old, api.stages[0], "/orders/1", {"order_id": "1"}, {"iam": {"userArn": "arn:x"}}, "r-1", 1_700_000_000
    )
    event = event_of(HttpCall("GET", "/orders/1?a=1&a=2", None, {"X-One": "y"}), way)
    assert (event["version"], event["resource"], event["httpMethod"]) == ("1.0", "/orders/{order_id}", "GET")
    assert event["headers"]["X-One"] == "y"
    assert event["multiValueHeaders"]["X-One"] == ["y"]
    assert event["queryStringParameters"] == {"a": "2"}
    assert event["multiValueQueryStringParameters"] == {"a": ["1", "2"]}
    assert event["pathParameters"] == {"order_id": "1"}
    assert event["requestContext"]["identity"]["userArn"] == "arn:x"
    assert event["requestContext"]["requestTime"] == "14/Nov/2023:22:13:20 +0000"
    assert event["body"] is None
    assert answer_of({"a": 1}, "1.0") is None
    many = answer_of({"statusCode": 200, "multiValueHeaders": {"X": ["1", "2"]}}, "1.0")
    assert many is not None
    assert many.headers["x"] == "1,2"


def test_limits_of_size_and_time(built: Built) -> None:
    sim = built(api("POST /x", timeout_seconds=60), code=ECHO)
    assert sim.http("POST", "/x", "a" * (10 * 1024 * 1024 + 1)).status == 413
    assert sim.http("POST", "/x", "a" * (7 * 1024 * 1024)).status == 413
    sim.faults.append(Fault("timeout", "t-a-f"))
    answer = sim.http("POST", "/x", "a")
    assert (answer.status, answer.body) == (503, {"message": "Service Unavailable"})


def stage(**changes: Any) -> Edit:
    def edit(resources: dict[str, Any]) -> None:
        for body in resources["aws_apigatewayv2_stage"].values():
            body.update(changes)

    return edit


@pytest.mark.parametrize(
    ("changes", "status", "words"),
    [
        ({"auto_deploy": False}, 404, "no stage of it is deployed"),
        ({"default_route_settings": {"throttling_rate_limit": 0}}, 429, "it is throttled to nothing"),
        ({"default_route_settings": {"throttling_burst_limit": 0}}, 429, "it is throttled to nothing"),
    ],
)
def test_an_api_that_answers_nobody(
    edited: Callable[[Edit], Simulator], changes: dict[str, Any], status: int, words: str
) -> None:
    sim = edited(stage(**changes))
    assert sim.http("GET", "/health", caller="order").status == status
    assert any(words in finding for finding in sim.findings)


def test_a_stage_with_a_name_has_its_own_path(edited: Callable[[Edit], Simulator]) -> None:
    sim = edited(stage(name="dev"))
    assert sim.http("GET", "/dev/health", caller="order").status == 200
    assert sim.http("GET", "/health", caller="order").status == 404


def test_a_route_that_its_module_opens_to_everyone_is_no_finding(built: Built) -> None:
    assert built(api("GET /x"), code=ECHO).findings == []


def test_two_apis_are_told_apart(built: Built) -> None:
    def build(service: Service) -> None:
        api("GET /x")(service)
        function = service.function("g", handler="code.handle")
        HttpApi(
            service,
            "other",
            account=service.account,
            name="other",
            routes={"GET /x": function},
            log_retention_days=7,
            authorization="none",
        )

    sim = built(build, code=ECHO)
    assert sim.http("GET", "/x", api="api").status == 200
    assert sim.http("GET", "/x", headers={"Host": "other.localhost:4010"}).status == 200
    assert [node.place for node in sim.trace().of("invoked")] == ["t-a-f", "t-a-g"]
    with pytest.raises(SimulatorError, match="api: got 'nothing'; allowed: api, other"):
        sim.http("GET", "/x")


def test_every_call_is_in_the_access_log(load: Load) -> None:
    sim = load()
    sim.http("GET", "/health", caller="order")
    (line,) = sim.logs["/aws/apigateway/shop-order-service-http-api"]
    read = json.loads(line)
    assert (read["status"], read["routeKey"], read["httpMethod"]) == ("200", "GET /health", "GET")
