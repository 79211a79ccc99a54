from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccr.adapters.dialects.anthropic.seals import is_home, read_seal, write_seal
from ccr.domain.provenance import Origin, Seal

_TEXT = st.text(max_size=5)


@given(
    st.builds(
        Seal, st.builds(Origin, st.sampled_from(["gemini", "x"]), _TEXT, _TEXT, _TEXT), _TEXT, st.text()
    )
)
def test_a_foreign_seal_comes_back_as_it_was(seal: Seal) -> None:
    assert read_seal("signature", write_seal(seal)) == seal
    assert not is_home(seal)


@pytest.mark.parametrize("data", ["EqQB", "", "ccr1.", "ccr1.x.y", "ccr1.WzFd.y", "ccr1.e30=.y"])
def test_anything_else_is_anthropics_byte_for_byte(data: str) -> None:
    seal = read_seal("signature", data)

    assert seal == Seal(Origin("anthropic"), "signature", data)
    assert write_seal(seal) == data
    assert is_home(seal)
