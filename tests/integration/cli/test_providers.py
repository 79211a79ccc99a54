"""`ccr providers` and `ccr models` as installed, with and without a running gateway."""

from __future__ import annotations

from tests.integration.cli.conftest import Home

CONFIG = """{
  // mine
  "Providers": [], // none yet
  "Router": {"default": "demo,demo"}
}
"""


def test_a_provider_is_added_and_used_with_and_without_a_gateway(home: Home) -> None:
    path = home.configure(CONFIG)
    home.environment["GROQ_API_KEY"] = "gsk-secret"

    added = home.run("providers", "add", "groq", "--models", "openai/gpt-oss-120b")
    home.run("start")
    online = home.json("providers", "list")
    second = home.run("providers", "add", "ollama", "--models", "qwen3:8b")
    models = home.json("models", "list")
    home.run("stop")
    offline = home.json("providers", "list")

    assert added.returncode == second.returncode == 0, added.stderr + second.stderr
    text = path.read_text()
    assert "// mine" in text
    assert "// none yet" in text
    assert '"$GROQ_API_KEY"' in text
    assert "gsk-secret" not in text
    groq = {one["name"]: one for one in online}["groq"]
    assert groq["key_set"] is True
    assert groq["configured"] == [{"name": "groq", "models": ["openai/gpt-oss-120b"], "has_key": True}]
    assert {one["name"]: one for one in offline}["ollama"]["configured"]
    assert models[0]["model"] == "openai/gpt-oss-120b"
    assert models[0]["max_output"]


def test_what_is_added_takes_requests(home: Home) -> None:
    home.configure(CONFIG)

    done = home.run("providers", "add", "groq", "--key", "k", "--models", "m")
    routed = home.run("model", "--set", "think", "groq,m")

    assert (done.returncode, routed.returncode) == (0, 0), done.stderr + routed.stderr
    assert home.json("model")["routes"]["think"] == "groq,m"
    assert home.run("config", "check").returncode == 0


def test_misuse_and_what_is_not_known(home: Home) -> None:
    home.configure(CONFIG)

    assert home.run("providers").returncode == 2
    assert home.run("providers", "add").returncode == 2
    assert home.run("providers", "show", "nobody").returncode == 1
    assert home.run("providers", "add", "nobody").returncode == 1
    assert home.run("models", "show", "nope").returncode == 1
    assert home.json("models", "show", "claude-sonnet-4-6")["known"]
    assert home.json("providers", "show", "vertex")["endpoints"]
