from __future__ import annotations

import threading
from pathlib import Path

import pytest

from ccr.adapters.config.file_store import FileConfigStore, first_config, first_text
from ccr.adapters.config.load import load, revision_of
from ccr.adapters.config.paths import Paths
from ccr.application.ports.config import Change, ConfigStore
from ccr.domain.errors import ConfigError, Problem

pytestmark = pytest.mark.anyio

TEXT = """{
  // the key
  "APIKEY": "$KEY",
  "odd": 1, // mine
  "Router": { "default": "demo,demo" }
}
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = tmp_path / "config.json"
    found.write_text(TEXT)
    return found


def store(path: Path) -> FileConfigStore:
    return FileConfigStore(path, {"KEY": "secret"})


def message(caught: pytest.ExceptionInfo[ConfigError]) -> str:
    return caught.value.problems[0].message


async def test_it_is_a_store(path: Path) -> None:
    found: ConfigStore = store(path)
    loaded = await found.load()
    assert (loaded.settings.source, loaded.revision) == (str(path), revision_of(TEXT))


async def test_an_edit_keeps_comments_unknown_keys_and_variables(path: Path) -> None:
    loaded = await store(path).edit([Change(("PORT",), 4000), Change(("Router", "think"), "demo,demo")])
    assert loaded.settings.server.port == 4000
    text = path.read_text()
    assert text == TEXT.replace(
        '"Router": { "default": "demo,demo" }\n',
        '"Router": { "default": "demo,demo", "think": "demo,demo" },\n  "PORT": 4000\n',
    )
    assert loaded.revision == revision_of(text)
    assert path.stat().st_mode & 0o777 == 0o600


async def test_every_version_is_kept_and_the_newest_three_stay(path: Path) -> None:
    for port in range(1, 6):
        await store(path).edit([Change(("PORT",), port)])
    kept = sorted(path.parent.glob("config.json.*.bak"))
    found = [f'"PORT": {port}' in old.read_text() for port, old in zip((2, 3, 4), kept, strict=True)]
    assert found == [True, True, True]


async def test_an_edit_that_would_be_wrong_writes_nothing(path: Path) -> None:
    with pytest.raises(ConfigError, match="no provider 'nope'"):
        await store(path).edit([Change(("PORT",), 4000), Change(("Router", "default"), "nope,x")])
    assert path.read_text() == TEXT
    assert list(path.parent.glob("*.bak")) == []


async def test_an_edit_on_an_old_revision_is_refused(path: Path) -> None:
    first = (await store(path).load()).revision
    await store(path).edit([Change(("PORT",), 4000)], expected_revision=first)
    with pytest.raises(ConfigError) as caught:
        await store(path).edit([Change(("PORT",), 5000)], expected_revision=first)
    assert "somebody else has changed it" in message(caught)
    assert '"PORT": 4000' in path.read_text()


async def test_an_edit_without_effect_writes_nothing(path: Path) -> None:
    before = path.stat().st_mtime_ns
    await store(path).edit([Change(("gone",), remove=True)])
    assert path.stat().st_mtime_ns == before


async def test_removing_a_key(path: Path) -> None:
    await store(path).edit([Change(("odd",), remove=True)])
    assert '"odd"' not in path.read_text()
    assert "// mine" in path.read_text()


@pytest.mark.parametrize("change", [Change(("Router", "default", "x"), 1), Change(("x",), {1, 2})])
async def test_a_change_that_cannot_be_made_is_refused(path: Path, change: Change) -> None:
    with pytest.raises(ConfigError):
        await store(path).edit([change])
    assert path.read_text() == TEXT


async def test_edits_follow_the_spelling_of_the_file(path: Path) -> None:
    path.write_text('{"providers": [], "Router": {"default": "demo,demo"}}')
    entry = {"name": "p", "api_base_url": "http://h/", "api_key": "k", "models": ["m"]}
    loaded = await store(path).edit([Change(("Providers", 0), entry)])
    assert [provider.name for provider in loaded.settings.providers] == ["p"]
    assert "Providers" not in path.read_text()


async def test_a_file_that_is_not_json5_cannot_be_edited(path: Path) -> None:
    path.write_text("{")
    with pytest.raises(ConfigError, match="never closed"):
        await store(path).edit([Change(("PORT",), 1)])


async def test_what_cannot_be_read_is_one_sentence(tmp_path: Path) -> None:
    for found, expected in (
        (tmp_path / "gone" / "c", "there is no configuration"),
        (tmp_path, "cannot be read"),
    ):
        with pytest.raises(ConfigError) as caught:
            await store(found).load()
        assert expected in message(caught)
    with pytest.raises(ConfigError, match="there is no configuration"):
        await store(tmp_path / "gone" / "c").edit([])
    (tmp_path / "latin").write_bytes(b"{\n// \xe9\n}")
    with pytest.raises(ConfigError, match="is not UTF-8 text \\(line 2\\)"):
        await store(tmp_path / "latin").load()


async def test_a_byte_order_mark_and_crlf_survive(path: Path) -> None:
    path.write_bytes(b'\xef\xbb\xbf{\r\n  "Router": {"default": "demo,demo"}\r\n}\r\n')
    await store(path).edit([Change(("PORT",), 1)])
    assert (
        path.read_bytes() == b'\xef\xbb\xbf{\r\n  "Router": {"default": "demo,demo"},\r\n  "PORT": 1\r\n}\r\n'
    )


async def test_the_directory_of_an_installation_becomes_private(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o755)
    paths = Paths.of({"HOME": str(tmp_path), "CCR_HOME": str(home)})
    assert first_config(paths.config)
    await FileConfigStore.of(paths, {}).edit([Change(("PORT",), 1)])
    assert home.stat().st_mode & 0o777 == 0o700


def test_edits_at_once_are_all_kept(path: Path) -> None:
    def edit(number: int) -> None:
        store(path).edit_now([Change((f"key{number}",), number)])

    threads = [threading.Thread(target=edit, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [f'"key{number}"' in path.read_text() for number in range(8)] == [True] * 8


def test_problems_of_others_get_their_place(path: Path) -> None:
    error = ConfigError([Problem(str(path), 0, 0, "Router.default", "no")])
    placed = store(path).place(error).problems[0]
    assert (placed.line, placed.column) == (5, 26)
    assert store(path.parent / "gone").place(error) is error


def test_the_first_configuration_is_written_once(tmp_path: Path) -> None:
    path = tmp_path / "new" / "config.json"
    assert first_config(path)
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    path.write_text("mine")
    assert not first_config(path)
    assert path.read_text() == "mine"


def test_a_dangling_link_is_not_written_through(tmp_path: Path) -> None:
    (tmp_path / "config.json").symlink_to(tmp_path / "elsewhere")
    assert not first_config(tmp_path / "config.json")
    assert [found.name for found in tmp_path.iterdir()] == ["config.json"]


def test_the_first_configuration_says_nothing_and_routes_to_the_demo() -> None:
    loaded = load(first_text(), file="f", environ={}, strict=True)
    assert (loaded.warnings, loaded.settings.router.default) == ((), "demo,demo")


def test_the_first_configuration_is_right_when_its_examples_are_taken_up() -> None:
    text = "\n".join(line.replace("// ", "", 1) if '  // "' in line or "// {" in line or "// }" in line or "//   " in line
                     else line for line in first_text().splitlines())  # fmt: skip
    text = text.replace('"default": "demo,demo"', '"default": "demo,demo",')
    loaded = load(text, file="f", strict=True,
                  environ={"CCR_KEY": "a", "DEEPSEEK_API_KEY": "b", "ANTHROPIC_UPSTREAM_KEY": "c"})  # fmt: skip
    assert [provider.name for provider in loaded.settings.providers] == ["deepseek", "anthropic", "ollama"]
    assert loaded.settings.router.think == "deepseek,deepseek-reasoner"


def test_the_example_of_deployments_is_right() -> None:
    root = Path(__file__).parents[4]
    loaded = load((root / "deploy" / "config.example.json").read_text(), file="e", strict=True,
                  environ={"OPENROUTER_API_KEY": "a", "DEEPSEEK_API_KEY": "b", "ANTHROPIC_UPSTREAM_KEY": "c"})  # fmt: skip
    assert loaded.warnings == ()
