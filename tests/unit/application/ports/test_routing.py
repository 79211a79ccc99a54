from __future__ import annotations

import pytest

from ccr.application.ports.routing import refusal


@pytest.mark.parametrize("path", ["router.js", "a/b.MJS", "x.cjs", "x.ts"])
def test_a_script_is_refused_with_the_way_to_port_it(path: str) -> None:
    assert "async def route(request, config)" in refusal(path)


def test_a_python_file_is_not_refused() -> None:
    assert refusal("router.py") == ""
