from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccr.domain.compat import Amendment, Change, complains_of_seal, read_complaint
from ccr.domain.errors import (
    GatewayError,
    InvalidRequestError,
    UpstreamRejectedError,
    UpstreamReply,
    UpstreamUnavailableError,
)

LIMITED = ("low", "medium", "high")


def rejected(message: str, status: int = 400, body: bytes = b"") -> UpstreamRejectedError:
    upstream = UpstreamReply("openai_chat", status, {}, body) if body else None
    return UpstreamRejectedError(message, status=status, upstream=upstream)


def drop(name: str) -> Amendment:
    return Amendment(Change.DROP, name)


def cap(limit: int) -> Amendment:
    return Amendment(Change.CAP, "max_tokens", limit=limit)


def effort(*allowed: str) -> Amendment:
    return Amendment(Change.CLAMP, "effort", allowed=allowed)


AUTO = Amendment(Change.AUTO, "tool_choice")


@pytest.mark.parametrize(
    "said, amendment",
    [
        # a better name
        (
            (
                "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens'"
                " instead."
            ),
            Amendment(Change.RENAME, "max_tokens", to="max_completion_tokens"),
        ),
        (
            (
                "Unsupported parameter: 'max_tokens'. In the Responses API, this parameter has moved to"
                " 'max_output_tokens'. Try again."
            ),
            Amendment(Change.RENAME, "max_tokens", to="max_output_tokens"),
        ),
        # a field by its name
        ("Unrecognized request argument supplied: store", drop("store")),
        ("Unrecognized request arguments supplied: seed, user", drop("seed")),
        ("Unknown parameter: 'prompt_cache_key'.", drop("prompt_cache_key")),
        ("context_management: Extra inputs are not permitted", drop("context_management")),
        ("output_config.effort: Extra inputs are not permitted", drop("output_config.effort")),
        (
            (
                "Unsupported value: 'temperature' does not support 0.2 with this model. Only the default (1) value is"
                " supported."
            ),
            drop("temperature"),
        ),
        ("The 'stream_options' parameter is only allowed when 'stream' is enabled.", drop("stream_options")),
        ("parallel_tool_calls is not supported", drop("parallel_tool_calls")),
        ("This model does not support parallel_tool_calls.", drop("parallel_tool_calls")),
        ("property 'seed' is unsupported", drop("seed")),
        ("Argument not supported on this model: presencePenalty", drop("presencePenalty")),
        ('json: unknown field "verbosity"', drop("verbosity")),
        ("Failed to deserialize: unknown field `logit_bias`, expected one of `model`", drop("logit_bias")),
        ("Additional properties are not allowed ('metadata' was unexpected)", drop("metadata")),
        ("`temperature` may only be set to 1 when thinking is enabled.", drop("temperature")),
        ("`temperature` and `top_p` cannot both be specified for this model.", drop("top_p")),
        ("Function calls with reasoning_effort are not supported; leave it out", drop("reasoning_effort")),
        (
            (
                "Invalid JSON payload received. Unknown name \"thinkingConfig\" at 'generation_config': Cannot find"
                " field."
            ),
            drop("generation_config.thinkingConfig"),
        ),
        # limits
        (
            (
                "max_tokens is too large: 128000. This model supports at most 16384 completion tokens, whereas you"
                " provided 128000."
            ),
            cap(16384),
        ),
        ("Range of max_tokens should be [1, 8192]", cap(8192)),
        ("<400> Range of max_tokens should be [1, 8193)", cap(8192)),
        ("Invalid max_tokens value, the valid range of max_tokens is [1, 8192]", cap(8192)),
        (
            "max_tokens: 128000 > 64000, which is the maximum allowed number of output tokens for some-model",
            cap(64000),
        ),
        (
            (
                "`max_tokens` must be less than or equal to `32768`, the maximum value for `max_tokens` is less than"
                " the `context_window` for this model"
            ),
            cap(32768),
        ),
        (
            (
                "Unable to submit request because it has a maxOutputTokens value of 100000 but the supported range is"
                " from 1 (inclusive) to 65537 (exclusive)."
            ),
            cap(65536),
        ),
        ("The maximum tokens you requested exceeds the model limit of 4,096. Try again.", cap(4096)),
        ("max_completion_tokens (100000) is over it; the limit is 20000", cap(20000)),
        # what it thinks by
        (
            (
                "Unsupported value: 'reasoning_effort' does not support 'xhigh' with this model. Supported values are:"
                " 'low', 'medium', and 'high'."
            ),
            effort(*LIMITED),
        ),
        (
            "reasoning_effort: `reasoning_effort` must be one of `none` or `default`",
            effort("none", "default"),
        ),
        ("output_config.effort: Input should be 'low', 'medium' or 'high'", effort(*LIMITED)),
        ("Unrecognized request argument supplied: reasoning_effort", drop("reasoning_effort")),
        (
            (
                '"thinking.type.enabled" is not supported for this model. Use "thinking.type.adaptive" and'
                ' "output_config.effort" to control thinking behavior.'
            ),
            Amendment(Change.CLAMP, "thinking.type", allowed=("adaptive",)),
        ),
        (
            "thinking.type: Input should be 'enabled' or 'disabled'",
            Amendment(Change.CLAMP, "thinking.type", allowed=("enabled", "disabled")),
        ),
        ("thinking.type is refused here", drop("thinking")),
        # the choice among tools
        ("tool_choice 'required' is not supported by this model", AUTO),
        ("deepseek-reasoner does not support this tool_choice", AUTO),
        ("Thinking may not be enabled when tool_choice forces tool use.", AUTO),
        ("'tool_choice' is only allowed when 'tools' are specified.", drop("tool_choice")),
        ("Unknown parameter: 'tool_choice'.", drop("tool_choice")),
        # tools
        (
            (
                'Invalid JSON payload received. Unknown name "additionalProperties" at'
                " 'tools[0].function_declarations[0].parameters': Cannot find field."
            ),
            Amendment(Change.KEYWORD, "additionalProperties"),
        ),
        (
            (
                "* GenerateContentRequest.tools[0].function_declarations[1].parameters.properties[url].format: only"
                " 'enum' and 'date-time' are supported for STRING type"
            ),
            Amendment(Change.KEYWORD, "format"),
        ),
        (
            (
                "Invalid schema for function 'WebFetch': In context=('properties', 'url'), 'uri' is not a valid"
                " format."
            ),
            Amendment(Change.KEYWORD, "format"),
        ),
        (
            "Invalid schema for function 'f': In context=(), 'propertyNames' is not permitted.",
            Amendment(Change.KEYWORD, "propertyNames"),
        ),
        ("Invalid schema for tool 'f': unknown keyword \"$schema\"", Amendment(Change.KEYWORD, "$schema")),
        ("Unknown parameter: 'tools[0].function.strict'.", Amendment(Change.FLAG, "strict")),
        (
            "Additional properties are not allowed ('strict' was unexpected) - 'tools.0.function'",
            Amendment(Change.FLAG, "strict"),
        ),
        (
            "tools.3.custom.defer_loading: Extra inputs are not permitted",
            Amendment(Change.FLAG, "defer_loading"),
        ),
        ("tools.0.cache_control: Extra inputs are not permitted", Amendment(Change.MARK, "cache_control")),
        (
            "system.0.cache_control.ephemeral.ttl: Extra inputs are not permitted",
            Amendment(Change.MARK, "ttl"),
        ),
        # betas
        (
            (
                "Unexpected value(s) `context-management-2025-06-27` for the `anthropic-beta` header. Please consult"
                " our documentation."
            ),
            Amendment(Change.BETA, "context-management-2025-06-27"),
        ),
        (
            "anthropic_beta: fine-grained-tool-streaming-2025-05-14 is unknown",
            Amendment(Change.BETA, "fine-grained-tool-streaming-2025-05-14"),
        ),
    ],
)
def test_what_real_providers_say(said: str, amendment: Amendment) -> None:
    assert read_complaint(rejected(said)) == amendment
    assert read_complaint(rejected(said, 422)) == amendment


@pytest.mark.parametrize(
    "body, amendment",
    [
        (
            (
                b'{"detail":[{"type":"extra_forbidden","loc":["body","seed"],"msg":"Extra inputs are not permitted",'
                b'"input":5}]}'
            ),
            drop("seed"),
        ),
        (
            (
                b"{\"object\":\"error\",\"message\":\"[{'type': 'extra_forbidden', 'loc': ('body', 'store'), 'msg':"
                b" 'Extra inputs are not permitted', 'input': True}]\"}"
            ),
            drop("store"),
        ),
        (
            (
                b'{"detail":[{"loc":["body","messages",0,"name"],"msg":"Extra inputs are not permitted"},'
                b'{"loc":["body","tools",0,"function","strict"],"msg":"Extra inputs are not permitted"}]}'
            ),
            Amendment(Change.FLAG, "strict"),
        ),
        (b'{"detail":[{"loc":["body"],"msg":"Extra inputs are not permitted"}]}', None),
        (b'{"error":{"message":"no","param":"seed"}}', None),
    ],
)
def test_a_list_of_places_is_read_from_the_body(body: bytes, amendment: Amendment | None) -> None:
    assert read_complaint(rejected("the provider answered with status 422", 422, body)) == amendment


def test_the_parameter_beside_the_sentence_counts() -> None:
    body = b'{"error":{"message":"x","param":"reasoning_effort","code":"unsupported_value"}}'
    said = "Invalid value: 'xhigh'. Supported values are: 'low', 'medium', and 'high'."

    assert read_complaint(rejected(said, body=body)) == effort(*LIMITED)


@pytest.mark.parametrize(
    "said",
    [
        "",
        "Bad request",
        "Your account is not active",
        "messages.3.content.0.cache_control: Extra inputs are not permitted",
        "messages.3.content.0.text: Extra inputs are not permitted",
        "input[2].status: Extra inputs are not permitted",
        "'messages.1' : property 'reasoning_content' is unsupported",
        "Unknown parameter: 'messages[2].tool_calls'.",
        "contents[0].parts[0].x: unknown field `x`",
        "Unknown parameter: 'model'.",
        "Unknown parameter: 'tools'.",
        "Unknown parameter: 'tools[0].function.name'.",
        "tools.0.input_schema.type: Extra inputs are not permitted",
        "tools.0.input_schema.properties: Extra inputs are not permitted",
        "system.0.text: Extra inputs are not permitted",
        "'stream' is not supported by this model",
        (
            "Invalid schema for function 'f': In context=(), 'additionalProperties' is required to be supplied and to"
            " be false."
        ),
        "Invalid schema for function 'f': In context=(), 'type' is not permitted.",
        "Unsupported parameter: 'functions' is not supported. Use 'tools' instead.",
        "Unsupported parameter: 'response_format'. In the Responses API, this parameter has moved to 'text.format'.",
        "max_tokens is too large: 5. This model supports at most 2 tokens",
        "we think about reasoning_effort a lot",
        "we like tool_choice",
        "stop.0: Extra inputs are not permitted",
        "a.b.c.d.e: Extra inputs are not permitted",
        f"{'x' * 81}: Extra inputs are not permitted",
        "invalid beta flag",
    ],
)
def test_what_is_not_named_or_not_ours_is_left_alone(said: str) -> None:
    assert read_complaint(rejected(said)) is None


@pytest.mark.parametrize(
    "error",
    [
        rejected("Unknown parameter: 'seed'.", 404),
        rejected("Unknown parameter: 'seed'.", 403),
        UpstreamUnavailableError("Unknown parameter: 'seed'."),
        InvalidRequestError("Unknown parameter: 'seed'."),
    ],
)
def test_only_a_rejection_of_the_request_counts(error: GatewayError) -> None:
    assert read_complaint(error) is None
    assert not complains_of_seal(error)


@pytest.mark.parametrize(
    "said",
    [
        "The encrypted content gAAA for item rs_1 could not be verified.",
        "encrypted_content cannot be decrypted",
        "Invalid encrypted_content",
        "Invalid thought signature",
        "Thought signature is not valid.",
        "Corrupted thought_signature.",
        "messages.1.content.0: Invalid `signature` in `thinking` block",
    ],
)
def test_refused_seals(said: str) -> None:
    assert complains_of_seal(rejected(said))


@pytest.mark.parametrize("said", ["Unknown parameter: 'seed'.", "signature", "thinking"])
def test_what_is_no_refused_seal(said: str) -> None:
    assert not complains_of_seal(rejected(said, body=b'{"error":{}}'))


PROTECTED: dict[str, Any] = {
    "model": "m",
    "messages": [{"role": "user", "content": "temperature max_tokens"}, {"role": "tool", "content": "x"}],
    "input": [{"type": "message", "content": "seed"}],
    "contents": [{"parts": [{"text": "stop"}]}],
    "system": [{"type": "text", "text": "be kind", "cache_control": {"type": "ephemeral", "ttl": "1h"}}],
    "instructions": "be kind",
    "tools": [
        {
            "name": "n",
            "description": "d",
            "strict": True,
            "input_schema": {"type": "object", "properties": {"format": {"type": "string", "format": "uri"}}},
        }
    ],
    "stream": True,
    "max_tokens": 100,
    "temperature": 1,
}
WORDS = st.lists(
    st.sampled_from(
        [
            "Unknown parameter: '",
            "Unsupported parameter: '",
            "'",
            "`",
            ": Extra inputs are not permitted",
            "messages",
            "messages[0].content",
            "model",
            "tools",
            "tools[0].name",
            "input",
            "contents",
            "system",
            "temperature",
            "max_tokens",
            "stream",
            " is not supported",
            "Use '",
            "' instead",
            " at 'tools[0]'",
            'Unknown name "',
            '"',
            "parameters",
            "properties",
            ".",
            "[0]",
            " is too large: 5. at most ",
            "16",
            "tool_choice",
            "invalid",
            "reasoning_effort",
            "must be one of",
            "none",
            "Invalid schema for function",
            "format",
            " is not permitted",
            "cache_control",
            "description",
            "strict",
            "anthropic-beta",
            "context-management-2025-06-27",
        ]
    )
    | st.text(max_size=12),
    max_size=12,
)


@given(WORDS.map("".join) | st.text(max_size=300))
def test_no_text_makes_it_touch_what_was_said(said: str) -> None:
    found = read_complaint(
        rejected(said, body=b'{"error":{"message":"%s"}}' % said.encode("utf-8", "replace"))
    )
    if found is None:
        return
    made: dict[str, Any] = dict(found.apply(PROTECTED))

    for name in ("model", "messages", "input", "contents", "instructions", "stream"):
        assert made[name] == PROTECTED[name]
    assert made["system"][0]["text"] == "be kind"
    tool, before = made["tools"][0], PROTECTED["tools"][0]
    assert (tool["name"], tool["description"]) == (before["name"], before["description"])
    schema = tool["input_schema"]
    assert (schema["type"], list(schema["properties"]), schema["properties"]["format"]["type"]) == (
        "object",
        ["format"],
        "string",
    )
    assert found.apply(made) == made
