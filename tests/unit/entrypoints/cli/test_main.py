from __future__ import annotations

import importlib

import pytest
import rich_click as click

from ccr import __version__
from ccr.entrypoints.cli.main import COMMANDS, group, main


def test_every_command_is_where_the_table_says() -> None:
    for where, _line in COMMANDS.values():
        module, name = where.split(":")

        assert isinstance(
            getattr(importlib.import_module(f"ccr.entrypoints.cli.{module}"), name), click.Command
        )


def test_the_list_of_commands_says_what_each_says_of_itself() -> None:
    """`ccr --help` imports none of them, so their lines stand in the table a second time."""
    made = group()
    context = click.Context(made)
    for name in made.list_commands(context):
        command = made.get_command(context, name)
        assert command is not None

        assert (
            (command.help or "")
            .split(". ")[0]
            .split("\n")[0]
            .startswith(COMMANDS[name][1].split(". ")[0][:40])
        )


def test_listing_imports_no_command(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(where: str) -> object:
        raise AssertionError(where)

    monkeypatch.setattr("ccr.entrypoints.cli.main._load", refuse)

    assert main(["--help"]) == 0
    said = capsys.readouterr().out
    assert all(name in said for name in group().list_commands(click.Context(group())))


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
