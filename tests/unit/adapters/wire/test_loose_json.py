from __future__ import annotations

import pytest

from ccr.adapters.wire.loose_json import object_text, repair_object


@pytest.mark.parametrize(
    "text, expected",
    [
        ("", b"{}"),
        (' {"a":1} ', b'{"a":1}'),
        ('```json\n{"a":1}\n```', b'{"a":1}'),
        ('"{\\"a\\":1}"', b'{"a":1}'),
        ('{"a":[1,2,],}', b'{"a":[1,2]}'),
        ('{"a":True,"b":None,"c":"True, }"}', b'{"a":true,"b":null,"c":"True, }"}'),
        ('{"a":"x\ny\x01"}', b'{"a":"x\\ny\\u0001"}'),
        ('{}{"a":1}', b'{"a":1}'),
        ('{"a":"}{"} {"a":"}{"}', b'{"a":"}{"}'),
        ('{"a":1}{"b":2}', None),
        ('{"a":"rm -rf /tm', None),
        ("[1]", None),
        ('"  "', None),
        ("nope", None),
    ],
)
def test_what_is_certain_is_mended(text: str, expected: bytes | None) -> None:
    assert expected == repair_object(text)


def test_the_strict_reading() -> None:
    assert object_text("  ") == b"{}"
    assert object_text("[]") is None
