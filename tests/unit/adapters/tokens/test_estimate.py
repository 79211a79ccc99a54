from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiktoken import Encoding

from ccr.adapters.tokens.estimate import estimate, typical
from ccr.adapters.tokens.ranks import load_encoding
from ccr.application.ports.tokens import TokenRange

FIXTURES = Path(__file__).parents[3] / "fixtures/claude-code"


@pytest.fixture(scope="module")
def encoding() -> Encoding:
    return load_encoding()


def test_nothing_is_nothing() -> None:
    assert TokenRange(0, 0) == estimate(0)
    assert typical(0) == 0


@given(st.text(max_size=400))
def test_no_text_has_more_tokens_than_bytes(encoding: Encoding, text: str) -> None:
    assert len(encoding.encode_ordinary(text)) <= estimate(len(text.encode())).high


@pytest.mark.parametrize("path", sorted(FIXTURES.glob("*.json")), ids=lambda path: path.stem)
def test_real_requests_lie_inside_the_bounds_and_near_the_typical(encoding: Encoding, path: Path) -> None:
    text = path.read_text()
    tokens = len(encoding.encode_ordinary(text))
    bounds = estimate(len(text.encode()))

    assert bounds.low <= tokens <= bounds.high
    assert abs(tokens - typical(len(text.encode()))) < tokens * 0.15
