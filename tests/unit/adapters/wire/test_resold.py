from __future__ import annotations

import pytest

from ccr.adapters.wire.json import CODEC, encode
from ccr.adapters.wire.resold import asked_betas, undated, without_billing, without_fields, without_header
from ccr.application.ports.payload import Encoded, Payload
from ccr.domain.fidelity import Loss
from ccr.domain.verbatim import Json


@pytest.mark.parametrize(
    "beta, name",
    [("claude-code-20250219", "claude-code"), ("context-1m-2025-08-07", "context-1m"), ("plain", "plain")],
)
def test_a_beta_without_its_date(beta: str, name: str) -> None:
    assert undated(beta) == name


def test_betas_of_the_body_go_before_those_of_the_client() -> None:
    assert asked_betas(Payload({"anthropic_beta": ["a", 7]}, CODEC), ("b", "a")) == ("a", "b")
    assert asked_betas(Payload({"anthropic_beta": Json(b'"a"')}, CODEC), ("b",)) == ("b",)


def test_a_system_without_bookkeeping_is_not_parsed() -> None:
    payload = Payload({"system": Json(b'[{"type":"text","text":"x"}]')}, CODEC)

    assert without_billing(payload) is payload
    assert without_billing(Payload({}, CODEC)).fields == {}


def test_only_a_block_that_begins_with_the_bookkeeping_is_left_out() -> None:
    blocks = [{"text": "x-anthropic-billing-header: a"}, {"text": "of x-anthropic-billing-header: b"}]

    assert without_billing(Payload({"system": Json(encode(blocks))}, CODEC)).get("system") == blocks[1:]


def test_a_field_that_is_not_there_is_no_loss() -> None:
    encoded = Encoded(Payload({"a": 1, "b": 2}, CODEC), (Loss("x"),))

    assert without_fields(encoded, ("c",)) is encoded
    assert without_fields(encoded, ("b", "c")) == Encoded(Payload({"a": 1}, CODEC), (Loss("x"), Loss("b")))


def test_headers_are_found_in_any_case() -> None:
    encoded = Encoded(Payload({}, CODEC), (), (("Anthropic-Version", "1"), ("x", "2")))

    assert without_header(encoded, "anthropic-version").headers == (("x", "2"),)
