from __future__ import annotations

from ccr.application.settings import ClientSettings, RouterSettings, ServerSettings, Settings
from ccr.domain.secret import Secret
from ccr.entrypoints.cli.client_env import client_environment

ADDRESS = "http://127.0.0.1:3456"


def made(
    settings: Settings | None = None, status: dict[str, object] | None = None, **environ: str
) -> dict[str, str | None]:
    return client_environment(settings or Settings(), ADDRESS, status or {}, environ)


def test_one_credential_is_set_and_the_others_are_unset() -> None:
    variables = made(Settings(server=ServerSettings(api_key=Secret("k"))))

    assert variables["ANTHROPIC_AUTH_TOKEN"] == "k"
    assert variables["ANTHROPIC_API_KEY"] is None
    assert variables["CLAUDE_CODE_OAUTH_TOKEN"] is None
    assert variables["CLAUDE_CODE_USE_VERTEX"] is None


def test_no_proxy_is_appended_to_once() -> None:
    assert made()["NO_PROXY"] == "127.0.0.1,localhost"
    assert made(NO_PROXY="a.example, localhost")["NO_PROXY"] == "a.example,localhost,127.0.0.1"
    assert made(no_proxy="b.example")["no_proxy"] == "b.example,127.0.0.1,localhost"
    assert "no_proxy" not in made()


def test_the_small_model_is_a_haiku_when_there_is_a_background_route() -> None:
    routed = Settings(router=RouterSettings(background="p,m"))
    named = Settings(
        client=ClientSettings(small_fast_model="p,tiny"), router=RouterSettings(background="p,m")
    )

    assert "haiku" in str(made(routed)["ANTHROPIC_DEFAULT_HAIKU_MODEL"])
    assert made(named)["ANTHROPIC_SMALL_FAST_MODEL"] == "p,tiny"
    assert "ANTHROPIC_SMALL_FAST_MODEL" not in made()


def test_the_window_of_the_default_route_is_told() -> None:
    def status(window: object) -> dict[str, object]:
        return {"routes": {"default": "p,m"}, "windows": {"p,m": {"window": window}}}

    large, small = made(status=status(131072)), made(status=status(32768))

    assert large["CLAUDE_CODE_MAX_CONTEXT_TOKENS"] == large["CLAUDE_CODE_AUTO_COMPACT_WINDOW"] == "131072"
    assert small["CLAUDE_CODE_MAX_CONTEXT_TOKENS"] == "32768"
    assert "CLAUDE_CODE_AUTO_COMPACT_WINDOW" not in small
    assert "CLAUDE_CODE_MAX_CONTEXT_TOKENS" not in made(status=status(None))
    assert "CLAUDE_CODE_MAX_CONTEXT_TOKENS" not in made()


def test_the_attribution_block_is_for_anthropic_only() -> None:
    assert made(status={"uses_anthropic": False})["CLAUDE_CODE_ATTRIBUTION_HEADER"] == "0"
    assert "CLAUDE_CODE_ATTRIBUTION_HEADER" not in made(status={"uses_anthropic": True})
    assert "CLAUDE_CODE_ATTRIBUTION_HEADER" not in made()


def test_non_interactive_mode_sets_what_scripts_want() -> None:
    variables = made(Settings(client=ClientSettings(non_interactive=True)))

    assert [variables[name] for name in ("CI", "FORCE_COLOR", "NODE_NO_READLINE", "TERM")] == [
        "true",
        "0",
        "1",
        "dumb",
    ]
