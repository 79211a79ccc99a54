from __future__ import annotations

import pytest

from ccr.adapters.wire.data_url import read_data_url, write_data_url
from ccr.domain.conversation import Inline


@pytest.mark.parametrize(
    "url, expected",
    [
        ("data:image/png;base64,aGk=", Inline("image/png", "aGk=")),
        ("DATA:image/PNG;name=x;BASE64,aGk%3D", Inline("image/png", "aGk=")),
        ("data:,a%20b", Inline("text/plain", "a b", "text")),
        ("data:image/svg+xml,%3Csvg/%3E", Inline("image/svg+xml", "PHN2Zy8+")),
        ("data:image/png;base64", None),
        ("https://x/y.png", None),
    ],
)
def test_reading(url: str, expected: Inline | None) -> None:
    assert expected == read_data_url(url)


def test_writing() -> None:
    assert write_data_url(Inline("image/png", "aGk=")) == "data:image/png;base64,aGk="
    assert write_data_url(Inline("text/plain", "hi", "text")) == "data:text/plain;base64,aGk="
    assert write_data_url(Inline("image/png", "data:image/png;base64,aGk=")) == "data:image/png;base64,aGk="
