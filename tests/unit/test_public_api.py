from __future__ import annotations

import importlib
from pathlib import Path

import pytest

import ccr

PUBLIC = {
    "BlockStart",
    "BlockStop",
    "ConfigError",
    "Conversation",
    "Destination",
    "EventStage",
    "FunctionTool",
    "Gateway",
    "GatewayError",
    "Image",
    "Json",
    "MessageStart",
    "MessageStop",
    "ModelProfile",
    "ModelRef",
    "Payload",
    "Principal",
    "ProviderSettings",
    "Reply",
    "Role",
    "RouterSettings",
    "Secret",
    "Settings",
    "StopReason",
    "StreamEvent",
    "StreamFailed",
    "Text",
    "TextDelta",
    "ThinkingDelta",
    "ToolCall",
    "ToolInputDelta",
    "ToolResult",
    "Transformer",
    "Turn",
    "Usage",
    "__version__",
    "create_app",
    "fold",
    "open_gateway",
}


def test_the_public_names_are_these() -> None:
    assert set(ccr.__all__) == PUBLIC
    assert dir(ccr) == sorted(PUBLIC)
    assert len(ccr.__all__) == len(PUBLIC)


def test_every_public_name_is_there_and_comes_from_where_it_is_said() -> None:
    for name in PUBLIC - {"__version__"}:
        home = importlib.import_module(ccr._HOME_OF[name])
        assert getattr(ccr, name) is getattr(home, name)
        assert name in home.__all__


def test_nothing_else_is_there() -> None:
    with pytest.raises(AttributeError, match="Nonsense"):
        getattr(ccr, "Nonsense")  # noqa: B009  # mypy would refuse it spelled out


def test_the_version_is_that_of_the_package() -> None:
    project = (Path(__file__).parents[2] / "pyproject.toml").read_text()

    assert f'version = "{ccr.__version__}"' in project


def test_types_come_with_the_package() -> None:
    assert (Path(ccr.__file__).parent / "py.typed").exists()
