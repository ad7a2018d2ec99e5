"""Health, access, errors and the description, over real HTTP."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from commcredits.settings import Settings
from tests.integration.api.conftest import TOKEN
from tests.support.program import run_process
from tests.support.serving import Serving
from tests.support.shop import Shop

BEARER = f"Bearer {TOKEN}"
CALL = {"callee": "+442071234567", "user_id": "ana@contoso.com"}


def test_health_says_live_and_ready_with_the_position(served: Serving) -> None:
    assert served.get("/health/live").json == {"status": "live"}
    ready = served.get("/health/ready").json
    assert ready == {"status": "ready", "log": "main", "position": ready["position"]}
    assert ready["position"] > 0


@pytest.mark.parametrize("header", ["", "Bearer wrong", f"Basic {TOKEN}", TOKEN, f"Bearer {TOKEN}x"])
def test_without_the_token_nothing_is_told(served: Serving, header: str) -> None:
    for reply in (
        served.authorize("contoso", CALL, Authorization=header),
        served.get("/openapi.json", Authorization=header),
        served.get("/no/such/path", Authorization=header),
    ):
        assert reply.error == (401, "unauthorized", None)
        assert reply.headers["www-authenticate"] == "Bearer"


def test_health_links_and_webhooks_need_no_token(served: Serving) -> None:
    assert served.get("/health/live").status == 200
    assert served.get("/pay/nonsense").status == 404
    assert served.post("/providers/stripe/webhook", b"{}").error == (400, "bad_signature", None)


def test_without_a_token_set_only_this_machine_may_ask(serve: Callable[..., Serving]) -> None:
    open_to_us = serve()

    assert open_to_us.authorize("contoso", CALL).json["allowed"]
    assert open_to_us.get("/openapi.json", Host="rebound.example.com").error == (401, "unauthorized", None)
    assert open_to_us.get("/health/live", Host="credits.example.com").status == 200


@pytest.mark.parametrize(
    ("arguments", "code", "field"),
    [
        (["--host", "0.0.0.0"], "api_token_missing", "host"),
        (["--host", "no-such-host.invalid"], "api_token_missing", "host"),
        (["--port", "65536"], "invalid_argument", "port"),
    ],
)
def test_an_address_that_cannot_be_is_said(shop: Shop, arguments: list[str], code: str, field: str) -> None:
    refused = run_process(
        "serve", *arguments, "--json", environment={"COMMCREDITS_STORE": shop.settings.store}, directory=shop.folder
    )

    assert (refused.code, refused.error["code"], refused.error["field"]) == (2, code, field)


def test_a_port_that_is_taken_is_said(shop: Shop) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        environment = {"COMMCREDITS_STORE": f"sqlite:///{shop.folder / 'other.db'}"}
        refused = run_process("serve", "--port", port, "--json", environment=environment, directory=shop.folder)

    assert (refused.code, refused.error["code"], refused.error["field"]) == (2, "port_in_use", "port")


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        (b"", "invalid_body", None),
        (b"not json", "invalid_body", None),
        (b"[]", "invalid_body", None),
        ({}, "invalid_field", "callee"),
        ({"callee": 5}, "invalid_field", "callee"),
        ({"callee": "44 20"}, "invalid_field", "callee"),
        ({"callee": ""}, "missing_field", "callee"),
        ({"calle": "442071234567"}, "invalid_field", "calle"),
        ({"callee": "442071234567", "at": "yesterday"}, "invalid_field", "at"),
        ({"callee": "442071234567", "at": "0001-01-01"}, "invalid_field", "at"),
        ({"callee": "442071234567", "call_type": "user_outt"}, "unknown_call_type", "call_type"),
        ({"callee": "442071234567", "user_id": "u" * 201}, "invalid_field", "user_id"),
    ],
)
def test_a_body_that_cannot_be_names_its_field(served: Serving, body: Any, code: str, field: str | None) -> None:
    if isinstance(body, dict):
        body = {"user_id": "ana@contoso.com", **body}
    assert served.authorize("contoso", body, Authorization=BEARER).error == (400, code, field)


def test_what_is_not_there_is_said_in_the_same_shape(served: Serving) -> None:
    assert served.authorize("fabrikam", CALL, Authorization=BEARER).error == (404, "unknown_account", "account")
    assert served.get("/no/such/path", Authorization=BEARER).error == (404, "unknown_path", None)
    reply = served.get("/v1/accounts/contoso/authorize", Authorization=BEARER)
    assert reply.error == (405, "method_not_allowed", None)
    assert served.authorize("contoso", b" " * 70_000, Authorization=BEARER).error == (413, "too_large", None)


def test_the_description_is_openapi_3_1_and_names_every_route(served: Serving) -> None:
    described = served.get("/openapi.json", Authorization=BEARER).json

    OpenAPIV31SpecValidator(described).validate()
    assert described["openapi"].startswith("3.1")
    assert set(described["paths"]) == {
        "/health/live",
        "/health/ready",
        "/pay/{token}",
        "/providers/stripe/webhook",
        "/v1/accounts/{account}/authorize",
    }
    assert described["paths"]["/v1/accounts/{account}/authorize"]["post"]["operationId"] == "authorize"


def test_sigterm_ends_it_with_exit_0(serve: Callable[..., Serving]) -> None:
    serving = serve()

    assert serving.stop() == 0
    assert "Traceback" not in serving.process.told()


def test_the_default_address_is_said_in_the_settings() -> None:
    assert Settings().public_url == "http://127.0.0.1:8080"
