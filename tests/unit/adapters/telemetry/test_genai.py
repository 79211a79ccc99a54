from __future__ import annotations

import pytest

from ccr.adapters.telemetry import genai


@pytest.mark.parametrize(
    "ours, theirs",
    [("Gemini", "gcp.gemini"), ("azure", "azure.ai.openai"), ("DeepSeek", "deepseek"), ("my", "my")],
)
def test_providers_have_the_names_of_the_convention(ours: str, theirs: str) -> None:
    assert theirs == genai.provider_name(ours)


def test_all_names_are_exported() -> None:
    constants = {name for name in vars(genai) if name.isupper() and not name.startswith("_")}

    assert {*constants, "provider_name"} == set(genai.__all__)
