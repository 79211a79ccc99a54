from __future__ import annotations

import msgspec
import pytest

from ccr.adapters.wire import json
from ccr.domain.verbatim import Json


def test_json_values_are_written_as_they_are() -> None:
    schema = Json(b'{ "type" : "object" }')

    assert (
        json.CODEC.encode({"a": schema, "b": (schema, 1)})
        == b'{"a":{ "type" : "object" },"b":[{ "type" : "object" },1]}'
    )
    assert schema.data == json.CODEC.encode(schema)


def test_decoding_gives_plain_values() -> None:
    assert json.CODEC.decode(b'{"a":[1,2.5,null,"x"]}') == {"a": [1, 2.5, None, "x"]}


@pytest.mark.parametrize("bad", [b"", b"{", b"nope", b"[" * 100_000, b'"\xff"'])
def test_what_is_not_json_is_a_value_error(bad: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        json.decode(bad)
    with pytest.raises(ValueError, match=r"."):
        json.top_level(b'{"a":' + bad)
    with pytest.raises(ValueError, match=r"."):
        json.decode_tolerant(
            msgspec.json.Decoder(object), bad if bad != b'"\xff"' else b"\xff" + b"[" * 100_000
        )
    assert json.object_of(bad) is None
    assert not json.is_object(bad)


def test_only_objects_are_objects() -> None:
    assert json.is_object("{}")
    assert not json.is_object(b"[]")
    assert json.object_of(b'{"a":1}') == {"a": 1}
    assert json.object_of(b"1") is None


def test_the_top_level_keeps_the_text_of_its_values() -> None:
    fields = json.top_level(b'{"a": [1 , 2], "b":"x"}')

    assert {name: bytes(raw) for name, raw in fields.items()} == {"a": b"[1 , 2]", "b": b'"x"'}
    assert Json(b"[1 , 2]") == json.json_of(fields["a"])


@pytest.mark.parametrize(
    "given, expected",
    [
        (rb'"a\ud83dz"', "a\ufffdz"),
        (rb'"a\udc00"', "a\ufffd"),
        (rb'"\ud83d\ude00 \ud83d"', "\U0001f600 \ufffd"),
        (rb'"\\ud83d \ud83d"', "\\ud83d \ufffd"),
        (b'"\xff"', "\ufffd"),
        (rb'"plain"', "plain"),
    ],
)
def test_half_a_character_does_not_fail_a_payload(given: bytes, expected: str) -> None:
    assert expected == json.decode_tolerant(msgspec.json.Decoder(str), given)


def test_what_stays_raw_in_a_providers_payload_is_mended_too() -> None:
    read = json.decode_tolerant(msgspec.json.Decoder(dict[str, msgspec.Raw]), b'{"args":{"city":"K\xc9ln"}}')

    assert bytes(read["args"]).decode() == '{"city":"K\N{REPLACEMENT CHARACTER}ln"}'
