from __future__ import annotations

import pytest

from ccr.adapters.dialects.anthropic.usage import read_usage, write_usage
from ccr.adapters.wire.json import encode_wire
from ccr.domain.usage import NO_USAGE, Usage


@pytest.mark.parametrize(
    "wire, usage",
    [
        (b"", NO_USAGE),
        (b"null", NO_USAGE),
        (b"{}", NO_USAGE),
        (b"[" * 100_000, NO_USAGE),
        (b'{"input_tokens":"many"}', NO_USAGE),
        (b'{"input_tokens":-5,"output_tokens":0}', Usage(output=0)),
        (
            (
                b'{"input_tokens":1,"cache_read_input_tokens":2,"cache_creation_input_tokens":7,"output_tokens":9,'
                b'"cache_creation":{"ephemeral_5m_input_tokens":3,"ephemeral_1h_input_tokens":4},'
                b'"output_tokens_details":{"thinking_tokens":5},"server_tool_use":{"web_search_requests":6}}'
            ),
            Usage(1, 2, 3, 4, 9, 5, 6),
        ),
        (b'{"cache_creation_input_tokens":7}', Usage(cache_write_5m=7)),
        (b'{"cache_creation_input_tokens":0}', Usage(cache_write_5m=0)),
        (
            b'{"cache_creation_input_tokens":7,"cache_creation":{"ephemeral_1h_input_tokens":7}}',
            Usage(cache_write_5m=0, cache_write_1h=7),
        ),
    ],
)
def test_reading(wire: bytes, usage: Usage) -> None:
    assert read_usage(wire) == usage


def test_a_later_zero_of_the_input_does_not_undo_what_was_known() -> None:
    wire = b'{"input_tokens":0,"cache_read_input_tokens":0,"cache_creation_input_tokens":0,"output_tokens":3}'

    assert read_usage(wire, later=True) == Usage(output=3)


@pytest.mark.parametrize(
    "usage", [Usage(1, 2, 3, 4, 9, 5, 6), Usage(1, 0, 0, None, 9), Usage(0, 5, 0, None, 0)]
)
def test_what_is_written_reads_the_same(usage: Usage) -> None:
    assert read_usage(encode_wire(write_usage(usage))) == usage


def test_the_estimate_stands_in_only_where_nobody_said_the_input() -> None:
    assert write_usage(NO_USAGE, input_estimate=12)["input_tokens"] == 12
    assert write_usage(Usage(cache_read=3), input_estimate=12)["input_tokens"] == 0
    assert write_usage(Usage(input_uncached=4), input_estimate=12)["input_tokens"] == 4
