from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from attrs import evolve

from ccr.adapters.config.fixed_store import loaded_from
from ccr.adapters.dialects.anthropic.client import AnthropicClient
from ccr.adapters.identity.single_key import SingleKey
from ccr.application.contained import Faults
from ccr.application.journal import Journal
from ccr.application.settings import Settings
from ccr.domain.errors import BudgetError, ClientGoneError
from ccr.domain.record import Outcome, RequestRecord
from ccr.domain.secret import Secret
from ccr.entrypoints.http.errors import ErrorWriter
from ccr.entrypoints.http.guard import Guard
from ccr.entrypoints.http.refusals import Refusals
from ccr.entrypoints.http.replies import send_body
from tests.support.asgi import Told, Wire, ask, scope_of
from tests.support.failing import StillClock

pytestmark = pytest.mark.anyio

SETTINGS = loaded_from({"Router": {"default": "demo,demo"}}, {}).settings
KEY = {"x-api-key": "right"}


class Inside:
    """The application behind the guard: says what it was let see."""

    def __init__(self) -> None:
        self.seen: list[Any] = []
        self.trouble: BaseException | None = None
        self.begin_first = False

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if self.begin_first:
            await send({"type": "http.response.start", "status": 200, "headers": []})
        if self.trouble is not None:
            raise self.trouble
        self.seen.append(scope.get("ccr"))
        await send_body(send, 404 if scope["path"] == "/nope" else 200, (("x-inside", "1"),), b"{}")


class Current:
    """Stands for the catalog holder."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.loaded = True

    @property
    def current(self) -> Current:
        return self


class Bench:
    def __init__(self, settings: Settings = SETTINGS, key: str | None = None) -> None:
        self.inside = Inside()
        self.catalog = Current(settings)
        self.faults: list[tuple[str, BaseException]] = []
        self.records: list[RequestRecord] = []
        self.clock = StillClock()
        self.guard = Guard(
            self.inside,
            catalog=self.catalog,  # type: ignore[arg-type]
            identity=SingleKey(Secret(key) if key else None),
            new_id=lambda: "req_1",
            errors=ErrorWriter({"anthropic": AnthropicClient()}, "anthropic"),
            fault=lambda request_id, error: self.faults.append((request_id, error)),
            clock=self.clock,
            refusals=Refusals(Journal([self], Faults()), self.clock),
        )

    def accept(self, record: RequestRecord) -> None:
        """Stand for the log."""
        self.records.append(record)

    async def ask(self, *args: Any, **more: Any) -> Told:
        return await ask(self.guard, *args, **more)


def with_server(**changes: Any) -> Settings:
    return evolve(SETTINGS, server=evolve(SETTINGS.server, **changes))


HOSTS_LET_IN = [
    "127.0.0.1",
    "127.0.0.1:3456",
    "localhost:1",
    "LocalHost:3456",
    "localhost.:3456",
    "[::1]",
    "[::1]:3456",
    "127.0.0.1:",
]
HOSTS_REFUSED = [
    "evil.example",
    "evil.example:3456",
    "127.0.0.1.evil.example",
    "localhost@evil.example",
    "localhost/../x",
    "localhost:3456/x",
    "localhost:x",
    "localhost:80:80",
    "[::1",
    "[::1]x",
    "[::1]3456",
    "[]",
    "::1",
    "[::2]",
    " localhost",
    "localhost,localhost",
    "loc\xe4lhost",
    "..",
]


@pytest.mark.parametrize("host", HOSTS_LET_IN)
async def test_our_own_names_are_let_in_on_any_port(host: str) -> None:
    assert (await Bench().ask(path="/v1/models", host=host)).status == 200


@pytest.mark.parametrize("path", ["/health", "/v1/messages", "/nope", "/api/status"])
@pytest.mark.parametrize("host", HOSTS_REFUSED)
async def test_a_foreign_or_malformed_host_is_misdirected_on_every_path(host: str, path: str) -> None:
    bench = Bench()
    told = await bench.ask(path=path, host=host)

    assert told.error == (421, "invalid_request_error")
    assert "Admin.hosts" in told.json["error"]["message"]
    assert bench.inside.seen == []


@pytest.mark.parametrize("count", [0, 2])
async def test_exactly_one_host_is_needed(count: int) -> None:
    told = await Bench().ask(headers=[("host", "127.0.0.1")] * count, host=None)

    assert told.error == (400, "invalid_request_error")


async def test_an_empty_host_is_none() -> None:
    assert (await Bench().ask(host="")).error == (400, "invalid_request_error")


async def test_further_names_are_configured() -> None:
    bench = Bench(with_server(hosts=("Gate.Example",)))

    assert (await bench.ask(host="gate.example:80")).status == 200
    assert (await bench.ask(host="other.example")).status == 421
    assert (await bench.ask(host="localhost")).status == 200


async def test_any_name_will_do_where_we_listen_to_the_world_but_it_must_be_one() -> None:
    bench = Bench(with_server(host="0.0.0.0", api_key=Secret("k")), "right")

    assert (await bench.ask(headers=KEY, host="ccr.team.example")).status == 200
    assert (await bench.ask(headers=KEY, host="a/b")).status == 421


async def test_rules_follow_the_configuration_in_force() -> None:
    bench = Bench()
    assert (await bench.ask(host="gate.example")).status == 421
    bench.catalog.settings = with_server(hosts=("gate.example",))

    assert (await bench.ask(host="gate.example")).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": ""},
        {"origin": "http://127.0.0.1:9"},
        {"origin": "https://127.0.0.1:3456"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site", "sec-fetch-mode": "no-cors"},
    ],
)
@pytest.mark.parametrize("path", ["/health", "/nope", "/v1/messages"])
async def test_a_page_of_another_origin_is_refused(headers: Mapping[str, str], path: str) -> None:
    told = await Bench().ask("POST", path, headers)

    assert told.error == (403, "permission_error")
    assert not [name for name in told.headers if name.startswith("access-control")]


@pytest.mark.parametrize("origin", ["http://127.0.0.1:3456", "http://localhost:3456", "http://[::1]:3456"])
async def test_our_own_origin_is_let_in(origin: str) -> None:
    assert (
        await Bench().ask("POST", "/x", {"origin": origin, "sec-fetch-site": "same-origin"})
    ).status == 200


async def test_a_configured_origin_is_let_in() -> None:
    bench = Bench(with_server(origins=("https://ui.example",)))

    assert (
        await bench.ask(headers={"origin": "https://ui.example", "sec-fetch-site": "cross-site"})
    ).status == 200


async def test_a_person_may_follow_a_link_to_us_but_no_form_may_post() -> None:
    link = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}

    assert (await Bench().ask("GET", "/", link)).status == 200
    assert (await Bench().ask("POST", "/", link)).status == 403


@pytest.mark.parametrize(
    "media",
    [
        "application/json",
        "application/json; charset=utf-8",
        "Application/JSON",
        "application/json ;charset=UTF-8",
    ],
)
async def test_json_is_let_in(media: str) -> None:
    assert (await Bench().ask("POST", "/x", {"content-type": media}, b"{}")).status == 200


@pytest.mark.parametrize(
    "media",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "",
        "application/jsonp",
        "json",
    ],
)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
async def test_any_other_body_is_unsupported_media(method: str, media: str) -> None:
    headers = {"content-type": media, "content-length": "2"}

    assert (await Bench().ask(method, "/nope", headers, b"{}")).error == (415, "invalid_request_error")


async def test_a_body_without_a_type_is_unsupported_media() -> None:
    for framing in ({"content-length": "2"}, {"transfer-encoding": "chunked"}):
        assert (await Bench().ask("POST", "/x", framing)).status == 415


async def test_no_body_needs_no_type() -> None:
    wire = Wire(b"")
    await Bench().guard(scope_of("POST", "/api/reload"), wire.receive, wire.send)  # type: ignore[arg-type]

    assert wire.told.status == 200
    assert (await Bench().ask("POST", "/api/reload", {"content-length": "0"})).status == 200


@pytest.mark.parametrize("coding, status", [("gzip", 415), ("br", 415), ("identity", 200), ("Identity", 200)])
async def test_a_compressed_body_is_not_taken(coding: str, status: int) -> None:
    assert (await Bench().ask("POST", "/x", {"content-encoding": coding}, b"{}")).status == status


async def test_two_framings_are_a_smuggling_attempt() -> None:
    headers = {"content-length": "2", "transfer-encoding": "chunked", "content-type": "application/json"}

    assert (await Bench().ask("POST", "/x", headers, b"{}")).error == (400, "invalid_request_error")


async def test_a_declared_size_over_the_limit_is_refused_unread_and_then_read_away() -> None:
    wire = Wire(*[b"x" * 1000] * 5)
    bench = Bench(evolve(SETTINGS, limits=evolve(SETTINGS.limits, max_body=1024)))
    headers = {"content-length": "5000", "content-type": "application/json"}
    await bench.guard(scope_of("POST", "/v1/messages", headers), wire.receive, wire.send)  # type: ignore[arg-type]

    assert wire.told.error == (413, "request_too_large")
    assert wire.taken == 5
    assert (await bench.ask("POST", "/x", {"content-length": "1024"}, b"{}")).status == 200


KEYS: list[tuple[dict[str, str], int]] = [
    ({}, 401),
    ({"x-api-key": "wrong"}, 401),
    ({"x-api-key": ""}, 401),
    ({"x-api-key": "righ"}, 401),
    ({"x-api-key": "right "}, 401),
    ({"authorization": "Bearer wrong"}, 401),
    ({"authorization": "Basic right"}, 401),
    ({"x-api-key": "right"}, 200),
    ({"authorization": "Bearer right"}, 200),
    ({"authorization": "bearer   right"}, 200),
    ({"authorization": "right"}, 200),
    ({"authorization": "Bearer wrong", "x-api-key": "right"}, 200),
    ({"authorization": "Bearer right", "x-api-key": "wrong"}, 200),
    ({"authorization": "Bearer right", "x-api-key": "right"}, 200),
]


@pytest.mark.parametrize("headers, status", KEYS)
async def test_either_credential_suffices(headers: dict[str, str], status: int) -> None:
    told = await Bench(key="right").ask(path="/v1/models", headers=headers)

    assert told.status == status
    if status == 401:
        assert told.error == (401, "authentication_error")
        assert "www-authenticate" not in told.headers
        assert ("not known" in told.json["error"]["message"]) == bool(headers)


async def test_a_credential_that_comes_twice_is_none() -> None:
    twice = [("x-api-key", "right"), ("x-api-key", "right")]

    assert (await Bench(key="right").ask(path="/x", headers=twice)).status == 401


@pytest.mark.parametrize("path", ["/", "/api/hello", "/health", "/ready"])
async def test_open_paths_need_no_key(path: str) -> None:
    assert (await Bench(key="right").ask(path=path)).status == 200


@pytest.mark.parametrize("path", ["/health/", "//health", "/nope", "/openapi.json", "/api", "/HEALTH"])
async def test_all_other_paths_need_one_also_where_nothing_lives(path: str) -> None:
    assert (await Bench(key="right").ask(path=path)).status == 401


async def test_the_order_is_host_origin_type_size_key() -> None:
    bench = Bench(key="right")
    everything = {"origin": "null", "content-type": "text/plain", "content-length": "99999999"}
    expected = [421, 403, 415, 413, 401]
    steps: list[tuple[str, dict[str, str]]] = [
        ("evil.example", everything),
        ("localhost", everything),
        ("localhost", {**everything, "origin": "http://localhost:3456"}),
        ("localhost", {"content-type": "application/json", "content-length": "99999999"}),
        ("localhost", {"content-type": "application/json", "content-length": "2"}),
    ]

    assert [
        (await bench.ask("POST", "/x", headers, b"{}", host=host)).status for host, headers in steps
    ] == expected


async def test_who_came_in_stands_in_the_scope() -> None:
    bench = Bench(key="right")
    await bench.ask(path="/v1/models", headers=[*KEY.items(), ("x-many", "a"), ("x-many", "b")])
    (seen,) = bench.inside.seen

    assert (seen.principal.id, seen.principal.admin, seen.request_id) == ("owner", True, "req_1")
    assert seen.headers["x-many"] == "a, b"


async def test_every_reply_carries_what_a_handler_need_not_think_of() -> None:
    told = await Bench().ask(path="/v1/models")

    assert told.headers == {
        "x-inside": "1",
        "content-length": "2",
        "request-id": "req_1",
        "x-content-type-options": "nosniff",
        "cache-control": "no-store",
    }


async def test_an_error_from_inside_is_rendered() -> None:
    bench = Bench()
    bench.inside.trouble = BudgetError("spent")
    told = await bench.ask(path="/x")

    assert told.error == (429, "billing_error")
    assert told.headers["x-should-retry"] == "false"


async def test_an_exception_from_inside_is_bland_and_its_id_is_in_the_log() -> None:
    bench = Bench()
    bench.inside.trouble = RuntimeError("a secret detail")
    told = await bench.ask(path="/x")

    assert told.error == (500, "api_error")
    assert b"secret" not in told.body
    assert bench.faults == [("req_1", bench.inside.trouble)]


@pytest.mark.parametrize("trouble", [RuntimeError("x"), BudgetError("x")])
async def test_a_reply_that_has_begun_is_not_begun_again(trouble: Exception) -> None:
    bench = Bench()
    bench.inside.begin_first = True
    bench.inside.trouble = trouble
    told = await bench.ask(path="/x")

    assert (told.status, told.starts, told.body) == (200, 1, b"")


async def test_a_head_is_refused_without_a_body() -> None:
    told = await Bench().ask("HEAD", "/x", host="evil.example")

    assert (told.status, told.body) == (421, b"")
    assert int(told.headers["content-length"]) > 0


async def test_the_lifespan_passes() -> None:
    bench = Bench()
    wire = Wire()
    scope: Any = {"type": "lifespan", "path": "/"}
    await bench.guard(scope, wire.receive, wire.send)

    assert bench.inside.seen == [None]


async def test_before_the_first_configuration_only_loopback_names_are_served() -> None:
    bench = Bench()
    bench.catalog.loaded = False

    assert (await bench.ask(path="/ready", host="localhost")).status == 200
    assert (await bench.ask(path="/ready", host="gate.example")).status == 421


WRONG = {"x-api-key": "wrong"}


async def test_the_twenty_first_wrong_key_of_a_minute_is_told_to_wait() -> None:
    bench = Bench(key="right")
    told = [await bench.ask(path="/v1/models", headers=WRONG) for _ in range(25)]

    assert [one.status for one in told] == [401] * 20 + [429] * 5
    assert told[20].error == (429, "rate_limit_error")
    assert told[20].headers["retry-after"] == "60"
    assert b"wrong keys" in told[20].body


async def test_a_right_key_is_let_in_whoever_else_comes_from_there() -> None:
    bench = Bench(key="right")
    for _ in range(30):
        await bench.ask(path="/v1/models", headers=WRONG)

    assert (await bench.ask(path="/v1/models", headers=KEY)).status == 200
    assert (await bench.ask(path="/v1/models", headers=WRONG)).status == 429


async def test_the_wait_ends_with_the_minute() -> None:
    bench = Bench(key="right")
    for _ in range(21):
        await bench.ask(path="/v1/models", headers=WRONG)
    bench.clock.seconds += 45.5
    assert (await bench.ask(path="/v1/models", headers=WRONG)).headers["retry-after"] == "15"
    bench.clock.seconds += 15

    assert (await bench.ask(path="/v1/models", headers=WRONG)).status == 401


async def test_no_forwarded_address_begins_anew_and_no_missing_key_counts() -> None:
    bench = Bench(key="right")
    assert {(await bench.ask(path="/v1/models")).status for _ in range(30)} == {401}
    statuses = [
        (await bench.ask(path="/v1/models", headers={**WRONG, "x-forwarded-for": f"10.0.0.{n}"})).status
        for n in range(21)
    ]

    assert statuses[-1] == 429


@pytest.mark.parametrize(
    "headers, outcome, status",
    [
        (WRONG, Outcome.AUTH, 401),
        ({}, Outcome.AUTH, 401),
        ({"origin": "https://evil.example"}, Outcome.AUTH, 403),
        ({**KEY, "content-type": "text/plain", "content-length": "2"}, Outcome.INVALID, 415),
    ],
)
async def test_every_refusal_has_its_line(headers: dict[str, str], outcome: Outcome, status: int) -> None:
    bench = Bench(key="right")
    told = await bench.ask("POST", "/v1/messages", headers, b"{}")
    (line,) = bench.records

    assert (told.status, line.status, line.outcome, line.id) == (status, status, outcome, "req_1")
    assert ("127.0.0.1" in line.message) == (status == 401)
    assert "wrong" not in line.message


async def test_a_line_says_who_tries_too_many_keys() -> None:
    bench = Bench(key="right")
    for _ in range(21):
        await bench.ask(path="/v1/models", headers=WRONG)

    assert (bench.records[-1].outcome, bench.records[-1].status) == (Outcome.AUTH, 429)
    assert bench.records[-1].message == "too many wrong keys came from this address (from 127.0.0.1)"


async def test_what_was_let_in_is_not_the_guards_to_write_down() -> None:
    bench = Bench()
    bench.inside.trouble = BudgetError("spent")
    await bench.ask(path="/x")

    assert bench.records == []


async def test_a_refusal_with_a_body_closes_the_connection() -> None:
    bench = Bench(key="right")
    unread = await bench.ask("POST", "/v1/messages", WRONG, b"{}")
    bodiless = await bench.ask("GET", "/v1/models", WRONG)
    inside = await bench.ask("POST", "/v1/messages", KEY, b"{}")

    assert unread.headers["connection"] == "close"
    assert "connection" not in bodiless.headers
    assert "connection" not in inside.headers


@pytest.mark.parametrize("coding", ["gzip, chunked", "chunked, chunked", "identity", ""])
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
async def test_no_other_transfer_coding_is_taken(method: str, coding: str) -> None:
    told = await Bench().ask(method, "/x", {"transfer-encoding": coding, "content-type": "application/json"})

    assert told.error == (400, "invalid_request_error")


async def test_more_headers_than_anybody_needs_are_refused() -> None:
    assert (await Bench().ask(path="/health", headers={"x-a": "a" * 65_000})).status == 200
    assert (await Bench().ask(path="/health", headers={"x-a": "a" * 65_536})).status == 431


@pytest.mark.parametrize(
    "trouble", [None, ClientGoneError("gone"), RuntimeError("what a framework makes of it")]
)
async def test_a_body_without_a_proper_end_is_a_bad_request_and_no_fault_of_ours(
    trouble: Exception | None,
) -> None:
    class Reader(Inside):
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            assert (await receive())["body"] == b"half"
            assert (await receive())["type"] == "http.disconnect"
            if trouble is not None:
                raise trouble

    bench = Bench()
    bench.guard._app = Reader()
    wire = Wire(b"half", None)
    headers = {"content-type": "application/json", "transfer-encoding": "chunked"}
    await bench.guard(scope_of("POST", "/v1/messages", headers), wire.receive, wire.send)  # type: ignore[arg-type]

    assert wire.told.error == (400, "invalid_request_error")
    assert bench.faults == []
