from __future__ import annotations

import pytest

from ccr.application.flow.reserve import reserve
from ccr.domain.access import LOCAL, Principal
from ccr.domain.errors import ForbiddenError
from ccr.domain.models import ModelRef

REF = ModelRef("deepseek", "deepseek-chat")


@pytest.mark.parametrize("globs", [(), ("*",), ("deepseek,*",), ("openai,*", "*,deepseek-chat")])
def test_a_key_may_use_what_its_globs_name(globs: tuple[str, ...]) -> None:
    reserve(Principal("k", models=globs), REF)


@pytest.mark.parametrize("globs", [("openai,*",), ("deepseek",), ("DeepSeek,*",)])
def test_a_key_may_use_nothing_else(globs: tuple[str, ...]) -> None:
    with pytest.raises(ForbiddenError, match="deepseek,deepseek-chat"):
        reserve(Principal("k", models=globs), REF)


def test_the_local_person_may_use_everything() -> None:
    reserve(LOCAL, REF)
