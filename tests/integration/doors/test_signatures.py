"""Names of models that an address must encode, signed over a real socket and verified by the rules alone."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.integration.doors.talk import SCRIPT, whole_talk
from tests.support.fake_cloud_signatures import Signer
from tests.support.fake_clouds import FakeBedrock
from tests.support.gateway_process import GatewayProcess, provider_entry
from tests.support.loopback import Recorded

ACCESS, SECRET, SESSION = "AKIACANARY0000000001", "canary/Secret+Key/000000000000001", "canary-session/+="
MODELS = {
    "eu.anthropic.claude-sonnet-4-5-20250929-v1:0": "eu.anthropic.claude-sonnet-4-5-20250929-v1%3A0",
    "arn:aws:bedrock:eu-west-1:123456789012:application-inference-profile/a1b2c3": (
        "arn%3Aaws%3Abedrock%3Aeu-west-1%3A123456789012%3Aapplication-inference-profile%2Fa1b2c3"
    ),
    "arn:aws:bedrock:eu-west-1:123456789012:inference-profile/eu.anthropic.claude-opus-4-1-v1:0": (
        "arn%3Aaws%3Abedrock%3Aeu-west-1%3A123456789012%3A"
        "inference-profile%2Feu.anthropic.claude-opus-4-1-v1%3A0"
    ),
}

# The example of the rules' own page, which Amazon's test suite calls get-vanilla.
EXAMPLE = Signer(
    "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "", region="us-east-1", service="service"
)
THEN = datetime(2015, 8, 30, 12, 36, tzinfo=UTC)


def example(**headers: str) -> Recorded:
    signed = (
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
        "SignedHeaders=host;x-amz-date, "
        "Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
    )
    known = {
        "host": "example.amazonaws.com",
        "x-amz-date": "20150830T123600Z",
        "authorization": signed,
    }
    return Recorded("GET", "/", known | headers, b"", 0.0)


def test_the_example_of_the_rules_is_signed_well() -> None:
    assert EXAMPLE.complaint(example(), THEN) == ""


@pytest.mark.parametrize(
    "request_, complaint",
    [
        (example(host="other.amazonaws.com"), "the signature does not match"),
        (example(**{"x-amz-target": "x"}), "not signed: x-amz-target"),
        (example(**{"x-amz-security-token": "x"}), "the security token is not that of the key"),
        (example(**{"x-amz-date": "20150830T124200Z"}), "the signature has expired"),
        (example(authorization="Bearer x"), "the header is not one of a signature"),
    ],
)
def test_what_was_changed_after_signing_is_found(request_: Recorded, complaint: str) -> None:
    assert EXAMPLE.complaint(request_, THEN) == complaint


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_a_name_with_colons_and_slashes_is_one_part_of_the_path_and_signed_as_sent(
    tmp_path: Path, stream: bool
) -> None:
    action = "invoke-with-response-stream" if stream else "invoke"
    with FakeBedrock(SCRIPT, key=f"{ACCESS}:{SECRET}:{SESSION}") as upstream:
        entry = provider_entry("bedrock", upstream, tuple(MODELS), transformer={})
        config = {"LOG": False, "Providers": [entry]}
        with GatewayProcess(tmp_path, config, environment={"AWS_REGION": "eu-west-1"}) as gateway:
            for model, encoded in MODELS.items():
                whole_talk(gateway.base_url, f"bedrock,{model}", upstream, stream=stream)

                assert [seen.path for seen in upstream.seen] == [f"/model/{encoded}/{action}"] * 2
                assert {seen.headers["x-amz-security-token"] for seen in upstream.seen} == {SESSION}
                assert [seen.model for seen in upstream.seen] == [model] * 2
