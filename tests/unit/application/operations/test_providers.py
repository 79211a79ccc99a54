from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import pytest

from ccr.adapters.providers.loader import PackagedProviders, read_provider
from ccr.application.operations.providers import ManageProviders, NewProvider
from ccr.application.ports.config import Change, ConfigStore, Loaded
from ccr.application.settings import ProviderSettings, Settings
from ccr.domain.errors import InvalidRequestError, NoSuchPathError
from ccr.domain.secret import Secret

ACME = """
name = "acme"
label = "ACME"
docs = "https://acme.test/docs"
source = "acme.test (November 2026)"
hosts = ["acme.test"]
credential = { kind = "bearer", env = "ACME_KEY" }

[[endpoints]]
dialect = "openai_chat"
url = "https://acme.test/v1/chat/completions"

[[endpoints]]
dialect = "anthropic"
url = "https://acme.test/anthropic/v1/messages"
credential = "x-api-key"

[profiles."*"]
images = false
efforts = ["low"]

[profiles."big*"]
images = true
"""
CLOUD = """
name = "cloud"
hosts = ["*.cloud.test"]
credential = { kind = "aws", env = "CLOUD_KEY" }
[[endpoints]]
dialect = "anthropic"
hosting = "bedrock"
url = "https://{region}.cloud.test"
"""
LOCAL = """
name = "local"
hosts = ["localhost:1"]
credential = { kind = "bearer", env = "LOCAL_KEY" }
[[endpoints]]
dialect = "openai_chat"
url = "http://localhost:1/v1/chat/completions"
"""
BOOK = PackagedProviders([read_provider(ACME), read_provider(CLOUD), read_provider(LOCAL)])
SECRET = "sk-very-secret"
MINE = ProviderSettings(
    "mine",
    "https://acme.test/v1/chat/completions",
    (Secret(SECRET),),
    ("big-1", "small"),
    where="providers[0]",
)
OTHER = ProviderSettings("other", "https://other.test/v1/messages")
SETTINGS = Settings(providers=(MINE, OTHER))


def manage(*present: str) -> ManageProviders:
    return ManageProviders(BOOK, lambda name: name in present)


def entry(wish: NewProvider, *present: str, settings: Settings | None = None) -> dict[str, Any]:
    (change,) = manage(*present).changes(wish, settings or Settings())
    assert isinstance(change.value, dict)
    return change.value


def test_the_list_has_every_known_provider_and_strangers_of_the_configuration() -> None:
    acme, cloud, local, other = manage("ACME_KEY").list(SETTINGS)

    assert acme == {
        "name": "acme",
        "label": "ACME",
        "dialects": ["openai_chat", "anthropic"],
        "credential": "bearer",
        "key_env": "ACME_KEY",
        "key_set": True,
        "configured": [{"name": "mine", "models": ["big-1", "small"], "has_key": True}],
        "origin": "ccr",
    }
    assert (cloud["name"], cloud["key_set"], cloud["configured"]) == ("cloud", False, [])
    assert local["name"] == "local"
    assert (other["name"], other["dialects"], other["origin"]) == ("other", ["anthropic"], "configuration")


def test_a_provider_is_shown_without_its_key() -> None:
    told = manage().show("ACME", SETTINGS)

    assert (told["docs"], told["source"], told["hosts"]) == (
        "https://acme.test/docs",
        "acme.test (November 2026)",
        ["acme.test"],
    )
    doors = cast("Sequence[dict[str, Any]]", told["endpoints"])
    assert [(end["dialect"], end["credential"]) for end in doors] == [
        ("openai_chat", "bearer"),
        ("anthropic", "x-api-key"),
    ]
    assert told["profiles"] == {"*": {"images": False, "efforts": ["low"]}, "big*": {"images": True}}
    assert SECRET not in repr(told)


def test_a_provider_by_its_name_in_the_configuration() -> None:
    assert manage().show("mine", SETTINGS)["name"] == "acme"
    assert manage().show("other", SETTINGS)["origin"] == "configuration"
    with pytest.raises(NoSuchPathError, match="no provider is called 'nobody'"):
        manage().show("nobody", SETTINGS)


def test_a_known_provider_is_added_by_its_name() -> None:
    assert entry(NewProvider("acme", models=("m",))) == {
        "name": "acme",
        "api_base_url": "https://acme.test/v1/chat/completions",
        "api_key": "$ACME_KEY",
        "models": ["m"],
    }


def test_where_it_goes() -> None:
    (first,) = manage().changes(NewProvider("acme"), Settings())
    (third,) = manage().changes(NewProvider("acme"), SETTINGS)

    assert first.path == ("Providers", 0)
    assert third.path == ("providers", 2)


@pytest.mark.parametrize(
    "wish, key",
    [
        (NewProvider("acme", key_env="MY_KEY"), "$MY_KEY"),
        (NewProvider("acme", key_env="$MY_KEY"), "$MY_KEY"),
        (NewProvider("acme", key="sk-1"), "sk-1"),
        (NewProvider("cloud", url="https://eu.cloud.test"), None),
        (NewProvider("local"), None),
        (NewProvider("stranger", url="https://s.test/v1/messages"), None),
    ],
)
def test_the_key(wish: NewProvider, key: str | None) -> None:
    assert entry(wish).get("api_key") == key


def test_a_key_that_may_be_missing_is_named_where_its_variable_is_set() -> None:
    assert entry(NewProvider("local"), "LOCAL_KEY")["api_key"] == "$LOCAL_KEY"


def test_the_endpoint() -> None:
    claude = entry(NewProvider("acme", dialect="anthropic"))
    proxied = entry(NewProvider("acme", url="https://proxy.test/x", dialect="gemini"))
    by_host = entry(NewProvider("second", url="https://acme.test/v1/chat/completions"))

    assert claude["api_base_url"] == "https://acme.test/anthropic/v1/messages"
    assert "dialect" not in claude
    assert (proxied["api_base_url"], proxied["dialect"]) == ("https://proxy.test/x", "gemini")
    assert (by_host["name"], by_host["api_key"]) == ("second", "$ACME_KEY")


@pytest.mark.parametrize(
    "wish, words",
    [
        (NewProvider(" "), "needs a name"),
        (NewProvider("a,b"), "needs a name"),
        (NewProvider("MINE"), "in the configuration already"),
        (NewProvider("stranger"), "say its url"),
        (NewProvider("cloud"), "say your url, of the form https://{region}.cloud.test"),
        (NewProvider("acme", dialect="gemini"), "does not speak 'gemini' but openai_chat, anthropic"),
        (NewProvider("stranger", url="https://s.test/api"), "say its dialect too"),
    ],
)
def test_what_cannot_be_added_says_what_to_do(wish: NewProvider, words: str) -> None:
    with pytest.raises(InvalidRequestError, match=words.replace("{", r"\{").replace("}", r"\}")):
        manage().changes(wish, SETTINGS)


@pytest.mark.anyio
async def test_adding_edits_the_store() -> None:
    class Store:
        edited: Sequence[Change] = ()

        async def edit(self, changes: Sequence[Change], *, expected_revision: str | None = None) -> Loaded:
            self.edited = changes
            return Loaded(Settings(), (), "r2")

    store = Store()

    loaded = await manage().add(NewProvider("acme"), SETTINGS, cast("ConfigStore", store))

    assert loaded.revision == "r2"
    assert [change.path for change in store.edited] == [("providers", 2)]


def test_a_wish_is_not_printed_with_its_key() -> None:
    assert repr(NewProvider("acme", key=SECRET)) == "NewProvider('acme')"
