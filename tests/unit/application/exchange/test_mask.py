from __future__ import annotations

from ccr.application.exchange.mask import mask_body, mask_error
from ccr.domain.errors import UpstreamRejectedError


def test_a_body_without_our_key_is_untouched() -> None:
    body = b'{"error": "no"}'

    assert mask_body(body, ("canary-1", "")) is body


def test_every_key_is_masked_in_a_body() -> None:
    assert mask_body(b"canary-1 canary-2 canary-1", ("canary-1", "canary-2")) == b"*** *** ***"


def test_a_sentence_is_masked_wherever_it_is_kept() -> None:
    error = UpstreamRejectedError("the key canary-1 is wrong")
    mask_error(error, ("", "canary-1"))

    assert (error.message, str(error)) == ("the key *** is wrong", "the key *** is wrong")


def test_another_sentence_is_left_alone() -> None:
    error = UpstreamRejectedError("no")
    mask_error(error, ("canary-1",))

    assert error.message == "no"
