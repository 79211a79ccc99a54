"""The package of the tutorial: built, installed, and used by a real gateway; then its module as a file of one's own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.fake_openai import FakeOpenAI
from tests.support.gateway_process import GatewayProcess, gateway_command, provider_entry
from tests.support.scripts import in_order, text

EXAMPLE = Path(__file__).parent
MODULE = EXAMPLE / "src" / "acme_ccr" / "codename.py"
ASKED = {
    "model": "acme,m",
    "max_tokens": 5000,
    "system": "You work on Kingfisher.",
    "messages": [{"role": "user", "content": "What is Kingfisher?"}],
}
ANSWER = "Bluebird is a secret; few know Bluebird. A blue thing"
SHOWN = "Kingfisher is a secret; few know Kingfisher. A blue thing"


def done(*words: str | Path) -> None:
    ran = subprocess.run([str(word) for word in words], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout[-2000:] + ran.stderr[-2000:]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel offline and install it into a folder of its own."""
    built, target = tmp_path_factory.mktemp("dist"), tmp_path_factory.mktemp("site")
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet")
    done(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", built, EXAMPLE)
    wheel = next(built.glob("acme_ccr-*.whl"))
    done(*pip, "install", "--no-deps", "--no-index", "--target", target, wheel)
    return target


@pytest.fixture
def upstream() -> Iterator[FakeOpenAI]:
    with FakeOpenAI(in_order(text(ANSWER, pieces=11)), key="sk-of-acme", models=("m",)) as fake:
        yield fake


def configuration(upstream: FakeOpenAI, *use: object, **more: object) -> dict[str, Any]:
    provider = provider_entry("acme", upstream, ["m"], transformer={"use": list(use)})
    return {"Providers": [provider], "Router": {"default": "acme,m"}, "Timeouts": {"pluginMs": 5000}, **more}


def asked(gateway: GatewayProcess, *, stream: bool) -> str:
    """The text of a reply."""
    reply = httpx.post(f"{gateway.base_url}/v1/messages", json={**ASKED, "stream": stream}, timeout=30)
    assert reply.status_code == 200, reply.text
    if not stream:
        return str(reply.json()["content"][0]["text"])
    data = [json.loads(line[6:]) for line in reply.text.splitlines() if line.startswith("data: ")]
    return "".join(event["delta"].get("text", "") for event in data if event["type"] == "content_block_delta")


def listed(home: Path, environment: Mapping[str, str]) -> dict[str, Any]:
    ran = subprocess.run(
        [*gateway_command(), "plugins", "--json"],
        env={"PATH": "/usr/bin:/bin", "HOME": str(home), "CCR_HOME": str(home), **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, Any] = json.loads(ran.stdout)
    return found


def test_an_installed_package_is_used(installed: Path, upstream: FakeOpenAI, tmp_path: Path) -> None:
    use = ["codename", {"secret": "Kingfisher", "team": "birds"}]
    environment = {"PYTHONPATH": str(installed)}
    with GatewayProcess(tmp_path, configuration(upstream, use), environment=environment) as gateway:
        texts = [asked(gateway, stream=stream) for stream in (True, False)]
        found = listed(tmp_path, environment)

    assert texts == [SHOWN, SHOWN]
    for seen in upstream.seen:
        assert "Kingfisher" not in json.dumps(seen.json)
        assert seen.system_text == "You work on Bluebird."
        assert seen.json["user"] == "birds"
        assert seen.json["max_completion_tokens"] == 700  # the limit and its name are those of acme.toml
    codename = next(one for one in found["transformers"] if one["name"] == "codename")
    assert (codename["origin"], codename["state"], codename["failures"]) == ("acme-ccr 1.0", "on", 0)
    assert {"name": "acme", "origin": "acme-ccr 1.0"} in found["providers"]


def test_a_file_is_used_with_its_defaults_and_each_providers_own_options(
    upstream: FakeOpenAI, tmp_path: Path
) -> None:
    tmp_path.chmod(0o700)
    file = tmp_path / "codename.py"
    file.write_text(MODULE.read_text())
    file.chmod(0o600)
    own = {"transformers": [{"path": "codename.py", "options": {"secret": "Kingfisher", "team": "birds"}}]}
    config = configuration(upstream, ["codename", {"team": "fish"}], **own)
    with GatewayProcess(tmp_path, config) as gateway:
        assert asked(gateway, stream=True) == SHOWN

        file.write_text("x = 1\nraise ValueError('not today')\n")
        gateway.write_config({**config, "LOG_LEVEL": "debug"})
        refused = httpx.post(f"{gateway.base_url}/api/reload", timeout=30)
        assert asked(gateway, stream=False) == SHOWN  # the old configuration stays

    assert [seen.json["user"] for seen in upstream.seen] == ["fish", "fish"]
    assert "Kingfisher" not in json.dumps(upstream.seen[0].json)
    assert refused.status_code == 422
    assert "codename.py:2: ValueError: not today" in refused.json()["error"]
    assert "transformers[0].path" in refused.json()["error"]


@pytest.mark.parametrize(
    "text_,mode,said",
    [
        ("def broken(:\n", 0o600, "mine.py:1: SyntaxError"),
        ("raise RuntimeError('it was run')\n", 0o666, "can be written by others"),
        (None, 0o600, "docs/how-to/port-a-transformer.md"),
    ],
)
def test_what_does_not_load_stops_the_start(
    upstream: FakeOpenAI, tmp_path: Path, text_: str | None, mode: int, said: str
) -> None:
    tmp_path.chmod(0o700)
    path = tmp_path / ("mine.py" if text_ is not None else "mine.js")
    path.write_text(text_ or "module.exports = class {}")
    path.chmod(mode)
    gateway = GatewayProcess(tmp_path, configuration(upstream, transformers=[{"path": str(path)}]))

    with pytest.raises(RuntimeError) as caught:
        gateway.start()
    assert "config.json" in str(caught.value)
    assert said in str(caught.value)
    assert "it was run" not in str(caught.value)
