"""The commands that read and change the configuration and ask for routes."""

from __future__ import annotations

import json
from pathlib import Path

from tests.integration.cli.conftest import Home

REQUEST = {"model": "claude-x", "max_tokens": 9, "messages": [{"role": "user", "content": "hello"}]}


def test_version_and_help(home: Home) -> None:
    for words in (["-v"], ["--version"], ["version"]):
        assert home.run(*words).stdout.startswith("ccr ")
    assert home.json("version")["version"]
    assert "route" in home.run("--help").stdout
    assert home.run("help").returncode == 0
    assert "--foreground" in home.run("help", "start").stdout


def test_misuse_is_2(home: Home) -> None:
    for words in ([], ["bogus"], ["start", "--bogus"], ["preset", "list"], ["route", "explain"]):
        assert home.run(*words).returncode == 2, words
    assert "out of scope" in home.run("preset", "install", "x").stderr


def test_init_writes_once(home: Home) -> None:
    first = home.run("init")
    path = home.ccr_home / "config.json"
    path.write_text(path.read_text() + "// mine\n")

    assert first.returncode == 0
    assert "not touched" in home.run("init").stdout
    assert path.read_text().endswith("// mine\n")


def test_config_check_show_schema_and_path(home: Home) -> None:
    path = home.configure({"APIKEY": "a-long-secret-key", "Router": {"default": "demo,demo"}, "Portt": 1})

    checked = home.run("config", "check")
    strict = home.run("config", "check", "--strict")

    assert checked.returncode == 0
    assert "Portt" in checked.stderr
    assert strict.returncode == 78
    assert home.json("config", "check")["ok"] is True
    assert home.run("config", "path").stdout.strip() == str(path)
    assert home.json("config", "path")["config"] == str(path)
    assert "a-long-secret-key" not in home.run("config", "show").stdout
    origins = {item["path"]: item["origin"] for item in home.json("config", "show")}
    assert origins["Router.default"] == "file"
    assert "Providers" in json.loads(home.run("config", "schema").stdout)["properties"]


def _editor(home: Home, text: str) -> dict[str, str]:
    script = home.folder / "editor"
    script.write_text(f"#!/bin/sh\ncat > \"$1\" <<'END'\n{text}\nEND\n")
    script.chmod(0o755)
    return {"EDITOR": str(script)}


def test_config_edit_installs_what_is_valid_only(home: Home) -> None:
    path = home.configure('{"Router": {"default": "demo,demo"}}')

    bad = home.run("config", "edit", env=_editor(home, '{"PORT": "many"}'))
    kept = path.read_text()
    good = home.run("config", "edit", env=_editor(home, '{"LOG": false} // mine'))

    assert bad.returncode == 78
    assert kept == '{"Router": {"default": "demo,demo"}}'
    assert good.returncode == 0, good.stderr
    assert path.read_text() == '{"LOG": false} // mine\n'
    assert len(list(path.parent.glob("config.json.*.bak"))) == 1


def test_model_changes_a_route_and_keeps_comments(home: Home) -> None:
    path = home.configure('{\n  // mine\n  "Router": {"default": "demo,demo"}\n}')

    done = home.run("model", "--set", "background", "demo,demo")

    assert done.returncode == 0, done.stderr
    assert "// mine" in path.read_text()
    assert home.json("model")["routes"]["background"] == "demo,demo"
    assert home.run("model", "--set", "think", "nobody,x").returncode == 78
    assert home.run("model", "--set", "bogus", "demo,demo").returncode == 2
    assert home.run("model", "--unset", "background").returncode == 0
    assert "background" not in home.json("model")["routes"]


def test_route_explain_without_and_with_a_gateway(home: Home) -> None:
    home.configure({"Router": {"default": "demo,demo"}})
    file = home.folder / "request.json"
    file.write_text(json.dumps(REQUEST))

    offline = home.json("route", "explain", str(file))
    assert home.run("route", "explain", "--last").returncode == 3
    home.run("start")
    online = home.json("route", "explain", str(file))
    piped = home.run("route", "explain", "-", input=json.dumps(REQUEST))

    assert offline["target"] == online["target"] == "demo,demo"
    assert offline["verdicts"] == online["verdicts"]
    assert "demo,demo" in piped.stdout
    assert home.run("route", "explain", "req_unknown").returncode == 1


def test_statusline_prints_one_line_or_an_empty_one(home: Home, tmp_path: Path) -> None:
    hook = {"model": {"display_name": "Sonnet"}, "workspace": {"current_dir": str(tmp_path)}}

    done = home.run("statusline", input=json.dumps(hook), env={"TERM": "dumb"})

    assert done.returncode == 0
    assert done.stdout.count("\n") == 1
    assert "Sonnet" in done.stdout
    assert home.run("statusline", input="junk").returncode == 1
    assert home.run("statusline", input="{}").returncode == 0


def test_a_route_can_be_set_in_the_first_configuration_and_its_comments_stay(home: Home) -> None:
    home.run("init")
    before = (home.ccr_home / "config.json").read_text()

    for words in (["think", "demo,demo"], ["background", "demo,demo"]):
        done = home.run("model", "--set", *words)
        assert done.returncode == 0, done.stderr

    after = (home.ccr_home / "config.json").read_text()
    assert home.run("config", "check").returncode == 0
    assert '"think": "demo,demo"' in after
    assert [line for line in before.splitlines() if "//" in line] == [
        line for line in after.splitlines() if "//" in line
    ]
