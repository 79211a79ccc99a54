"""What every wire format needs: the JSON codec, SSE framing, headers, data URLs, names."""

from __future__ import annotations
