from __future__ import annotations

import gc
import os
import sys
from pathlib import Path

import pytest

from ccr.adapters.routing.python_router import PythonRouter, PythonRouterLoader, load_router
from ccr.application.counting import Counting
from ccr.domain.errors import ConfigError, Problem
from tests.support.routing import FakeCounter, FakeParsed, call, facts

pytestmark = pytest.mark.anyio

PARSED = FakeParsed(facts("opus", text_size=400), user="please explain this code")


def written(tmp_path: Path, source: str, mode: int = 0o600) -> str:
    path = tmp_path / "router.py"
    path.write_text(source)
    path.chmod(mode)
    return str(path)


def loaded(tmp_path: Path, source: str, timeout: float = 2.0) -> PythonRouter:
    return load_router(written(tmp_path, source), timeout)


def refused(path: str) -> Problem:
    with pytest.raises(ConfigError) as caught:
        load_router(path, 1.0)
    (problem,) = caught.value.problems
    assert problem.path == "CUSTOM_ROUTER_PATH"
    return problem


async def test_the_ancestors_example_routes(tmp_path: Path) -> None:
    router = loaded(
        tmp_path,
        "async def route(request, config):\n"
        "    if 'explain this code' in request.user_text:\n"
        "        return config['Big'] + ',claude'\n",
    )
    body = b'{"messages": [{"role": "user", "content": "please explain this code"}]}'
    assert await router.route(call(body), PARSED, {"Big": "openrouter"}) == "openrouter,claude"
    assert await router.route(call(), PARSED, {}) is None


async def test_a_plain_function_will_do(tmp_path: Path) -> None:
    router = loaded(
        tmp_path, "def route(request, config):\n    return ' p,m ' if request.token_count > 99 else ''\n"
    )
    assert await router.route(call(), PARSED, {}) == "p,m"
    assert await router.route(call(), FakeParsed(facts()), {}) is None


async def test_a_router_may_count(tmp_path: Path) -> None:
    source = "async def route(request, config):\n    return f'p,m{await request.count_tokens()}'\n"
    router = load_router(written(tmp_path, source), 2.0, Counting(FakeCounter(7)))
    assert await router.route(call(), PARSED, {}) == "p,m7"


async def test_dataclasses_work_in_a_router_file(tmp_path: Path) -> None:
    source = (
        "from __future__ import annotations\nfrom dataclasses import dataclass\n"
        "@dataclass\nclass T:\n    name: str\n"
        "def route(request, config):\n    return T('p,m').name\n"
    )
    assert await loaded(tmp_path, source).route(call(), PARSED, {}) == "p,m"


async def test_an_answer_that_is_no_text_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="returned int, not a text or None"):
        await loaded(tmp_path, "def route(request, config):\n    return 3\n").route(call(), PARSED, {})


async def test_a_router_that_blocks_is_left_after_its_time(tmp_path: Path) -> None:
    router = loaded(tmp_path, "import time\nasync def route(r, c):\n    time.sleep(0.5)\n", timeout=0.05)
    with pytest.raises(TimeoutError):
        await router.route(call(), PARSED, {})


async def test_the_configuration_is_read_only(tmp_path: Path) -> None:
    router = loaded(tmp_path, "def route(r, config):\n    config['PORT'] = 1\n")
    with pytest.raises(TypeError):
        await router.route(call(), PARSED, {"PORT": 2})


def test_a_reload_reads_the_file_anew(tmp_path: Path) -> None:
    load = PythonRouterLoader()
    path = written(tmp_path, "def route(r, c): return 'p,one'\n")
    assert load(path, 1.0) is not load(path, 1.0)


def test_the_module_goes_with_the_router(tmp_path: Path) -> None:
    before = {name for name in sys.modules if name.startswith("ccr_custom_router_")}
    router = loaded(tmp_path, "def route(r, c): return None\n")
    assert len({name for name in sys.modules if name.startswith("ccr_custom_router_")} - before) == 1
    del router
    gc.collect()
    assert {name for name in sys.modules if name.startswith("ccr_custom_router_")} <= before


def test_a_script_is_refused_with_the_way_to_port_it() -> None:
    assert "async def route(request, config)" in refused("x/custom-router.js").message


def test_a_missing_file_or_a_folder_is_refused(tmp_path: Path) -> None:
    assert "cannot be read" in refused(str(tmp_path / "none.py")).message
    assert "cannot be read" in refused(str(tmp_path)).message
    assert "is not a file" in refused(os.devnull).message


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_a_file_that_others_can_write_is_refused(tmp_path: Path, mode: int) -> None:
    problem = refused(written(tmp_path, "def route(r, c): ...\n", mode))
    assert "can be written by others" in problem.message
    assert "chmod go-w" in problem.hint


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_file_of_somebody_else_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, "def route(r, c): ...\n")
    os.chown(path, 4242, 4242)
    assert "belongs to another user" in refused(path).message


@pytest.mark.parametrize(
    "source, line, message",
    [
        ("x = 1\ndef route(:\n", 2, "SyntaxError"),
        ("x = 1\ny = x / 0\n", 2, "ZeroDivisionError: division by zero"),
        ("import nothing_of_that_name\n", 1, "ModuleNotFoundError"),
        ("import sys\nsys.exit(1)\n", 2, "sys.exit()"),
        ("x = 1\n", 0, "has no function `route`"),
        ("route = 3\n", 0, "has no function `route`"),
        ("x = '\0'\n", 0, "null bytes"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_with_its_line(
    tmp_path: Path, source: str, line: int, message: str
) -> None:
    problem = refused(written(tmp_path, source))
    assert message in problem.message
    assert problem.file.endswith("router.py")
    assert problem.line == line
