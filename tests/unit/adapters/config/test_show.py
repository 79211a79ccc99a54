from __future__ import annotations

from ccr.adapters.config.load import load
from ccr.adapters.config.show import Shown, show

TEXT = """{APIKEY: "$KEY", HOST: "::1", Providers: [{name: "p", api_base_url: "https://h/", api_key: "${file:/k}", models: ["m"]}],
  Router: {default: "p,m", agents: {Explore: "p,m"}}, mine: {secret: "x"}}"""


def shown() -> dict[str, Shown]:
    environ = {"KEY": "very-secret", "SERVICE_PORT": "4000", "NO_PROXY": "a,b"}
    loaded = load(TEXT, file="c", environ=environ, read_file=lambda _: "file-secret")
    return {entry.path: entry for entry in show(loaded.settings)}


def test_every_value_with_its_origin() -> None:
    found = shown()
    assert found["PORT"] == Shown("PORT", 4000, "env:SERVICE_PORT")
    assert found["HOST"] == Shown("HOST", "::1", "file")
    assert found["APIKEY"] == Shown("APIKEY", "***", "env:KEY")
    assert found["Providers[0].api_key"] == Shown("Providers[0].api_key", "***", "file:/k")
    assert found["Providers[0].name"] == Shown("Providers[0].name", "p", "file")
    assert found["Router.default"] == Shown("Router.default", "p,m", "file")
    assert found["Router.agents"] == Shown("Router.agents", {"Explore": "p,m"}, "file")
    assert found["Router.longContextThreshold"] == Shown("Router.longContextThreshold", 60_000, "default")
    assert found["Timeouts.idleMs"] == Shown("Timeouts.idleMs", 120_000, "default")
    assert found["PROXY_BYPASS"] == Shown("PROXY_BYPASS", ["a", "b"], "env:NO_PROXY")
    assert found["mine"] == Shown("mine", {"secret": "***"}, "file")


def test_no_secret_is_shown() -> None:
    assert "secret" not in repr([entry.value for entry in shown().values()]).replace("'secret': '***'", "")
