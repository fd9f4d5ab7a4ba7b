"""Signature v0, against Slack's published example and vectors of our own."""

import pytest
from slack_sdk.signature import SignatureVerifier

from sandbox.slack.signing import sign

SECRET = "0123456789abcdef0123456789abcdef"

PUBLISHED = (
    b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V"
    b"&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
    b"&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
    b"&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
)


def test_the_published_example_is_signed_as_published():
    """Source: docs.slack.dev/authentication/verifying-requests-from-slack."""
    signature = sign("8f742231b10e8888abcd99yyyzzz85a5", 1531420618, PUBLISHED)
    assert signature == "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"


@pytest.mark.parametrize(
    ("body", "signature"),
    [
        pytest.param("", "a5b43b014ed473febe5f6cc6ec6d9feed6b12bd87f831b83d37733c38cf4c51c", id="an empty body"),
        pytest.param(
            "command=%2Fdemo&text=hello",
            "1d49893558447373fec79504486b441c4954ef21ad3cda5d1d4cb12649cb5050",
            id="a command",
        ),
        pytest.param(
            '{"type":"url_verification","challenge":"abc"}',
            "0af59a2093209bf5fd729275f78b68ca1fd0f5cde475f4e9b5b24207db57d1bb",
            id="a challenge",
        ),
        pytest.param(
            "payload=%7B%22type%22%3A%22block_actions%22%7D",
            "da2ef08c588ee030aa98aeae4f1508b760e490c542a3820b3ab8582166652e29",
            id="a click",
        ),
        pytest.param(
            '{"text":"café ☎"}',
            "fcb666e79755fd3a9f5a814ea3ad09988f89fcbdd77cee6d28ea080f9592e24b",
            id="beyond ASCII",
        ),
    ],
)
def test_raw_bytes_are_signed(body, signature):
    """The bytes as they travel are signed, and Slack's own verifier agrees."""
    assert sign(SECRET, 1700000000, body.encode()) == f"v0={signature}"
    assert SignatureVerifier(SECRET).generate_signature(timestamp="1700000000", body=body) == f"v0={signature}"
