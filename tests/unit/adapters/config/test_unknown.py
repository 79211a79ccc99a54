"""Keys that nobody knows, and keys without effect."""

from __future__ import annotations

import pytest

from tests.support.configs import PROVIDER, keys, problems, provider, warnings


def test_the_promised_logging_block_is_checked_and_told_to_be_without_effect() -> None:
    block = """Logging: { level: "info", enableFileRotation: true, retentionDays: 7, logDirectory: "./logs",
      enableBackwardCompatibility: true, maxFileSize: "100M", rotationInterval: "1d", compressLogs: true,
      consoleOutput: true, requestTracking: {enabled: true, includeDetails: true},
      performance: {bufferSize: 8192, flushInterval: 10000, maxSessionAge: 3600000},
      errorHandling: {enableStatistics: true, enableTrendAnalysis: true, maxHistorySize: 1000, maxRetries: 3} }"""
    assert all("not yet in effect" in warning for warning in warnings(keys(block)))
    assert len(warnings(keys(block))) == 10
    assert "at most 365" in problems(keys("Logging: {retentionDays: 400}"))[0]
    assert "does not look like" in problems(keys('Logging: {maxFileSize: "big"}'))[0]
    assert "at least 512" in problems(keys("Logging: {performance: {bufferSize: 1}}"))[0]


def test_the_second_shape_of_the_logging_block() -> None:
    block = """Logging: { enabled: true, timestamp: true, serviceName: "x", version: "1", environment: "e", streams: [{}],
      enhancedFeatures: {a: 1}, backwardCompatibility: {a: 1}, LoggingPresets: {a: 1} }"""
    assert len(warnings(keys(block))) == 8


@pytest.mark.parametrize("text", [
    'plugins: [{name: "a"}]', 'Plugins: [{name: "a"}]',
    "Team: {a: 1}", "Ledger: {a: 1}", 'LOG_FILE: "x"',
])  # fmt: skip
def test_known_but_not_yet_in_effect(text: str) -> None:
    (warning,) = warnings(keys(text))
    assert "is known, but not yet in effect" in warning


def test_the_tokenizer_of_a_provider_is_not_yet_in_effect() -> None:
    text = provider(
        PROVIDER + ', tokenizer: {default: {type: "tiktoken", encoding: "cl100k_base"}, models: {}}'
    )
    assert [warning.split(": ", 1)[1] for warning in warnings(text)] == [
        "Providers[0].tokenizer: tokenizer is known, but not yet in effect"
    ]


@pytest.mark.parametrize("text", ["plugins: []", "transformers: []"])
def test_switched_off_needs_no_warning(text: str) -> None:
    assert warnings(keys(text)) == []


def test_an_unknown_key_warns_with_the_nearest_known_one() -> None:
    assert (
        warnings(keys("APIKEYS: 1"))[0]
        == "c.json:1:36: APIKEYS: unknown key 'APIKEYS' (did you mean APIKEY?)"
    )
    assert "did you mean api_base_url?" in warnings(provider(PROVIDER + ", api_baseurl: 1"))[0]
    assert "did you mean background?" in warnings('{Router: {default: "demo,demo", backgroud: "x"}}')[0]
    assert warnings(keys("qqqqqq: 1")) == ["c.json:1:36: qqqqqq: unknown key 'qqqqqq'"]


def test_an_unknown_key_is_an_error_when_strict() -> None:
    assert problems(keys("APIKEYS: 1"), strict=True) == [
        "c.json:1:36: APIKEYS: unknown key 'APIKEYS' (did you mean APIKEY?)"
    ]
