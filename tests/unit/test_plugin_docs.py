"""The tutorial about transformers and the guide to port one, run as they stand."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from ccr.adapters.config.document import Document
from ccr.adapters.config.load import load
from ccr.adapters.plugins.registry import Registry
from ccr.adapters.wire.json import CODEC
from ccr.application.catalog.pipeline import Pipeline
from ccr.application.ports.payload import Payload
from ccr.domain.conversation import Conversation, Role, Text, Turn
from ccr.domain.stream import BlockStart, BlockStop, MessageStart, StreamEvent, TextDelta
from tests.support.destinations import destination

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "tests" / "integration" / "plugin_example"
TUTORIAL = (ROOT / "docs" / "tutorials" / "write-a-transformer.md").read_text("utf-8")
GUIDE = (ROOT / "docs" / "how-to" / "port-a-transformer.md").read_text("utf-8")
MARK = re.compile(r"--8<-- \[start:(\w+)\]")


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page, re.DOTALL)


def test_the_tutorial_shows_all_of_the_example_and_nothing_else() -> None:
    shown = re.findall(r'--8<-- "(.+?):(\w+)"', TUTORIAL)
    files = [
        path for path in EXAMPLE.rglob("*") if path.suffix in {".py", ".toml"} and "test_" not in path.name
    ]
    there = {(str(path.relative_to(ROOT)), name) for path in files for name in MARK.findall(path.read_text())}

    assert set(shown) == there
    assert len(shown) == len(there)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    tmp_path.chmod(0o700)
    return tmp_path


def configured(folder: Path, name: str, source: str, config: str) -> tuple[Registry, Any]:
    (folder / name).write_text(source)
    (folder / name).chmod(0o600)
    environ = {"OPENAI_API_KEY": "k", "HOME": str(folder)}
    settings = load(config, file=str(folder / "config.json"), environ=environ).settings
    return Registry(plugins=()).configured(settings), settings


def test_the_tutorials_configuration_uses_its_file(folder: Path) -> None:
    config = (
        blocks(TUTORIAL, "json5")[0].rstrip().removesuffix("}") + 'Router: { default: "openai,gpt-5.1" } }'
    )
    source = (EXAMPLE / "src" / "acme_ccr" / "codename.py").read_text()
    registry, settings = configured(folder, "codename.py", source, config)
    (use,) = settings.providers[0].use
    pipeline = Pipeline.of([registry.build(use.name, dict(use.options))])

    asked = Conversation("m", (Turn(Role.USER, (Text("Kingfisher?"),)), Turn(Role.USER, (Text("Hi"),))))
    sent = pipeline.requests[0](asked, destination())
    assert sent.turns == (Turn(Role.USER, (Text("Bluebird?"),)), asked.turns[1])
    assert CODEC.decode(pipeline.payloads[0](Payload({}, CODEC), destination()).encode()) == {"user": "birds"}

    stage = pipeline.stages[0](sent, destination())
    assert stage is not None
    given = ["A Blue", "bird", "! B", "lue"]
    events: list[StreamEvent] = [
        MessageStart("i", "m"),
        BlockStart(0, Text("")),
        *map(TextDelta, given),
        BlockStop(0),
    ]
    got = [out for event in events for out in stage.feed([event])]
    assert "".join(event.text for event in got if isinstance(event, TextDelta)) == "A Kingfisher! Blue"
    assert registry.warnings() == () or "took" in registry.warnings()[0]


def test_the_guides_class_does_what_the_old_one_did(folder: Path) -> None:
    (source,) = blocks(GUIDE, "python")
    (entry,) = [block for block in blocks(GUIDE, "json5") if "footer.py" in block]
    entry = entry.replace("/.claude-code-router/plugins/", "/").rstrip().removesuffix("}")
    registry, _ = configured(folder, "footer.py", source, entry + ', Router: { default: "demo,demo" } }')
    pipeline = Pipeline.of([registry.build("footer", {})])

    sent = pipeline.requests[0](Conversation("m", ()), destination())
    assert sent.turns == (Turn(Role.SYSTEM, (Text("Be brief."),)),)
    assert CODEC.decode(pipeline.payloads[0](Payload({}, CODEC), destination()).encode()) == {"user": "a"}
    assert registry.warnings() == ()


def test_every_example_of_the_ancestors_readme_is_taken() -> None:
    registry = Registry(plugins=())
    cells = re.findall(r"^\| (`.+?`) \|", GUIDE[GUIDE.index("## The examples") :], re.MULTILINE)
    uses = [text for cell in cells for text in re.findall(r"`(\[.+?\]|\".+?\")`", cell)]

    assert len(uses) >= 10
    for text in uses:
        use: Any = Document.of(text).plain()
        name, options = (use, {}) if isinstance(use, str) else use
        registry.build(name, options)
