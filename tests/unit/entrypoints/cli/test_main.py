from __future__ import annotations

import importlib

import pytest
import rich_click as click

from ccr import __version__
from ccr.entrypoints.cli.main import COMMANDS, group, main


def test_every_command_is_where_the_table_says() -> None:
    for where in COMMANDS.values():
        module, name = where.split(":")

        assert isinstance(getattr(importlib.import_module(module), name), click.Command)


def test_hidden_commands_work_and_are_not_listed() -> None:
    made = group()
    context = click.Context(made)

    assert "preset" not in made.list_commands(context)
    assert made.get_command(context, "activate") is not None
    assert made.get_command(context, "bogus") is None


def test_the_version_three_ways(capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["-v"], ["--version"], ["version"]):
        assert main(words) == 0
        assert capsys.readouterr().out == f"ccr {__version__}\n"


def test_errors_are_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bogus"]) == 2
    assert main(["preset", "list"]) == 2
    assert "out of scope" in capsys.readouterr().err
