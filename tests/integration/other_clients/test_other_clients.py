"""The real Codex and the real Gemini CLI through the real gateway, before strict upstreams of other dialects.

Codex speaks Responses, Gemini CLI speaks Gemini; neither knows that somebody else answers.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.other_clients import codex, gemini_cli
from tests.support.scripts import Failure, Reply, Text, Thinking, ToolCall, by_turn, text
from tests.support.stage import KINDS, Stage, open_stage

pytestmark = pytest.mark.client

MODEL = "up,m-main"


@pytest.fixture(scope="module", params=KINDS)
def stage(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    kind = str(request.param)
    with open_stage(kind, tmp_path_factory.mktemp(f"others-{kind}")) as opened:
        yield opened


def test_codex_gets_an_answer(stage: Stage, tmp_path: Path) -> None:
    stage.play(lambda _s, _n: text("Hello from upstream"))
    said = codex(tmp_path, stage.base_url, MODEL, "say hello")

    assert said.code == 0, said.describe() + stage.evidence()
    assert "Hello from upstream" in said.out
    assert stage.upstream.rejections == []
    assert set(stage.models) == {"m-main"}


def test_codex_runs_a_command_and_gives_its_output_back(stage: Stage, tmp_path: Path) -> None:
    ask = Reply((Thinking("I run it."), ToolCall("exec_command", {"cmd": "echo from-the-$((40+2))-shell"})))
    stage.play(by_turn(ask, text("It said so.")))
    said = codex(tmp_path, stage.base_url, MODEL, "run it")

    assert said.code == 0, said.describe() + stage.evidence()
    assert "It said so." in said.out
    assert any("from-the-42-shell" in result for result in stage.seen[-1].tool_results.values())
    assert stage.upstream.rejections == []


def test_codex_says_what_went_wrong(stage: Stage, tmp_path: Path) -> None:
    stage.play(lambda _s, _n: Failure(400, "the provider does not like this"))
    said = codex(tmp_path, stage.base_url, MODEL, "say hello")

    assert said.code != 0
    assert "the provider does not like this" in said.err + said.out


def test_gemini_cli_gets_an_answer(stage: Stage, tmp_path: Path) -> None:
    stage.play(lambda _s, _n: text("Hello from upstream"))
    said = gemini_cli(tmp_path, stage.base_url, MODEL, "say hello")

    assert said.code == 0, said.describe() + stage.evidence()
    assert "Hello from upstream" in said.out
    assert stage.upstream.rejections == []


def test_gemini_cli_looks_into_a_directory(stage: Stage, tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    (tmp_path / "work/a-file-of-ours.txt").write_text("x", "utf-8")
    ask = Reply((Text("I look."), ToolCall("list_directory", {"dir_path": "."})))
    stage.play(by_turn(ask, text("There is one.")))
    said = gemini_cli(tmp_path, stage.base_url, MODEL, "what is here?")

    assert said.code == 0, said.describe() + stage.evidence()
    assert "There is one." in said.out
    assert any("a-file-of-ours" in result for result in stage.seen[-1].tool_results.values())
    assert stage.upstream.rejections == []
