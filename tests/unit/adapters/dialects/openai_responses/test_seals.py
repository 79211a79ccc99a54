from __future__ import annotations

from base64 import urlsafe_b64encode

import pytest

from ccr.adapters.dialects.openai_responses.seals import read_seal, rebuilt, seal_of, write_seal
from ccr.adapters.wire.envelope import unwrap
from ccr.domain.provenance import Origin, Seal, stamped

HOME = Origin("openai_responses")


def head(text: bytes) -> str:
    return urlsafe_b64encode(text).decode() + "."


@pytest.mark.parametrize(
    "seal",
    [
        Seal(Origin("anthropic"), "reasoning", head(b'["",[],[]]')),
        Seal(HOME, "signature", head(b'["",[],[]]')),
        Seal(HOME, "reasoning", "?"),
        Seal(HOME, "reasoning", head(b"junk")),
        Seal(HOME, "reasoning", head(b"{}")),
        Seal(HOME, "reasoning", head(b'["",[]]')),
        Seal(HOME, "reasoning", head(b'["",[],3]')),
        Seal(HOME, "reasoning", head(b"[1,[],[]]")),
    ],
)
def test_what_is_no_reasoning_of_ours_is_carried_and_not_rebuilt(seal: Seal) -> None:
    assert rebuilt(seal) is None
    assert unwrap(write_seal(seal)) == seal


def test_a_seal_that_names_its_maker_keeps_the_name() -> None:
    seal = seal_of("rs_1", ["a"], [], "gA==")
    assert seal is not None
    named = stamped(seal, Origin("openai_responses", "p", "m"))
    text = write_seal(named)

    assert read_seal("rs_ccr_9", [], [], text) == named
    assert write_seal(seal) == "gA=="


def test_reasoning_in_the_open_goes_in_an_envelope() -> None:
    seal = seal_of("rs_1", [], ["hm"], "")
    assert seal is not None

    assert read_seal("rs_ccr_1", ["hm"], [], write_seal(seal)) == seal
    assert seal_of("rs_1", ["a"], [], "") is None
