"""Replies that go on: cut at every byte, which takes half a minute. Cuts between and inside events are among the unit tests."""

from __future__ import annotations

import pytest

from tests.support.cut_replies import joined
from tests.unit.application.assist.test_continuation import REPLIES, WRITERS, cut_and_check

pytestmark = [pytest.mark.anyio, pytest.mark.slow]


@pytest.mark.parametrize("kind", WRITERS)
async def test_a_reply_cut_at_any_byte_is_whole_for_the_client(kind: str) -> None:
    length = len(joined(WRITERS[kind](REPLIES["all"])))

    await cut_and_check(kind, "all", "anchor", range(length))
