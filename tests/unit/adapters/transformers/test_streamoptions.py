from __future__ import annotations

from ccr.adapters.transformers.streamoptions import StreamOptions
from tests.support.destinations import sent


def test_streams_ask_for_usage() -> None:
    assert sent(StreamOptions(), {"stream": True})["stream_options"] == {"include_usage": True}
    assert sent(StreamOptions(), {"stream": False}) == {"stream": False}
