from __future__ import annotations

from ccr.adapters.transformers.streamoptions import StreamOptions
from ccr.application.catalog.pipeline import Pipeline
from ccr.domain.models import ModelProfile


def test_a_profile_that_refuses_is_overruled() -> None:
    assert StreamOptions().profile(ModelProfile(stream_usage=False)) == ModelProfile()


def test_passthrough_stays_passthrough() -> None:
    assert Pipeline.of([StreamOptions()]).is_identity
