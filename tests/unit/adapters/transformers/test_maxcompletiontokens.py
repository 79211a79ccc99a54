from __future__ import annotations

from ccr.adapters.transformers.maxcompletiontokens import MaxCompletionTokens
from ccr.application.catalog.pipeline import IDENTITY, Pipeline
from ccr.domain.models import ModelProfile
from tests.support.destinations import destination, sent


def test_the_limit_gets_its_newer_name() -> None:
    assert sent(MaxCompletionTokens(), {"max_tokens": 5}) == {"max_completion_tokens": 5}
    assert sent(MaxCompletionTokens(), {"model": "m"}) == {"model": "m"}


def test_other_dialects_have_names_of_their_own() -> None:
    assert sent(MaxCompletionTokens(), {"max_tokens": 5}, "anthropic") == {"max_tokens": 5}
    assert Pipeline.of([MaxCompletionTokens()], destination("gemini")) == IDENTITY


def test_what_is_added_later_gets_that_name_too() -> None:
    assert MaxCompletionTokens().profile(ModelProfile()).max_tokens_field == "max_completion_tokens"
