from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccr.adapters.wire.envelope import MARK, unwrap, wrap
from ccr.domain.provenance import Origin, Seal

TEXTS = st.text(max_size=30)


@given(st.builds(Seal, st.builds(Origin, TEXTS, TEXTS, TEXTS, TEXTS), TEXTS, TEXTS))
def test_a_seal_comes_out_as_it_went_in(seal: Seal) -> None:
    wrapped = wrap(seal)

    assert wrapped.startswith(MARK)
    assert unwrap(wrapped) == seal


@pytest.mark.parametrize(
    "text", ["", "EqQBsignature", "ccr1.", "ccr1.!!.x", "ccr1.eyJhIjoxfQ==.x", "ccr1.WzFd.x", "ccr2.W10=.x"]
)
def test_what_is_not_ours_is_not_read(text: str) -> None:
    assert unwrap(text) is None


def test_the_header_does_not_hide_whose_it_is_from_a_cheap_search() -> None:
    assert wrap(Seal(Origin("gemini"), "call", "x")).startswith("ccr1.")
