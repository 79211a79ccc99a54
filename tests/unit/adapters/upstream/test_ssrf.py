"""Which addresses a name may lead to."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccr.adapters.upstream.ssrf import Fence, leads_to_metadata

METADATA = [
    "169.254.169.254",
    "169.254.0.1",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.192",
    "fd00:ec2::254",
    "fd20:ce::254",
    "fe80::1",
    "fe80::1%eth0",
    "::ffff:169.254.169.254",
    "::ffff:a9fe:a9fe",
    "64:ff9b::169.254.169.254",
    "2002:a9fe:a9fe::1",
    "::169.254.169.254",
]
PRIVATE = [
    "127.0.0.1",
    "127.8.8.8",
    "0.0.0.0",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "::1",
    "::",
    "fd12:3456::1",
    "::ffff:10.0.0.1",
    "64:ff9b::10.0.0.1",
    "2002:0a00:0001::",
]
PUBLIC = ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8"]


@pytest.mark.parametrize("address", METADATA)
@pytest.mark.parametrize("block_private", [False, True])
def test_a_machines_own_credentials_are_out_of_reach(address: str, block_private: bool) -> None:
    assert not Fence(block_private).allows(address)
    assert leads_to_metadata(address)


@pytest.mark.parametrize("address", PRIVATE)
def test_private_places_are_reached_unless_they_are_blocked(address: str) -> None:
    assert Fence().allows(address)
    assert not Fence(block_private=True).allows(address)
    assert not leads_to_metadata(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_public_places_are_reached(address: str) -> None:
    assert Fence(block_private=True).allows(address)
    assert not leads_to_metadata(address)


@pytest.mark.parametrize("name", ["metadata.google.internal", "Metadata.Google.Internal.", "metadata"])
def test_a_metadata_service_is_known_by_name_too(name: str) -> None:
    assert leads_to_metadata(name)


@pytest.mark.parametrize(
    "name", ["api.example.com", "my-metadata.google.internal.example", "169.254.169.254.example"]
)
def test_other_names_are_judged_by_their_addresses(name: str) -> None:
    assert not leads_to_metadata(name)


@given(st.text(max_size=40))
def test_what_is_no_address_is_not_allowed(text: str) -> None:
    assert isinstance(leads_to_metadata(text), bool)
    if not any(char in text for char in ".:"):
        assert not Fence().allows(text)


@given(
    st.ip_addresses(v=4, network="169.254.0.0/16"),
    st.sampled_from(["{}", "::ffff:{}", "64:ff9b::{}", "::{}"]),
)
def test_no_spelling_of_a_link_local_address_passes(address: object, spelled: str) -> None:
    assert not Fence().allows(spelled.format(address))
