from __future__ import annotations

from ccr.adapters.transformers.deepseek import DeepSeek
from ccr.application.catalog.pipeline import Pipeline
from ccr.domain.models import ModelProfile


def test_the_limit_is_that_of_the_model_or_the_originals() -> None:
    assert DeepSeek().profile(ModelProfile()).max_output == 8192
    assert DeepSeek().profile(ModelProfile(max_output=64000)).max_output == 64000


def test_passthrough_stays_passthrough() -> None:
    assert Pipeline.of([DeepSeek()]).is_identity
    assert DeepSeek.needless
