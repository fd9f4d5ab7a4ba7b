"""The signature of the local Blooio's webhooks, by the vectors of its specification."""

import pytest

from sandbox.blooio.signature import sign, sign_body_only

COMPACT = (
    b'{"event":"message.received","message_id":"msg_test0001","external_id":"+15550100001",'
    b'"internal_id":"+15550109999","sender":"+15550100001","text":"Hi there","attachments":[],'
    b'"protocol":"imessage","status":"received","is_group":false,"timestamp":1760000000123}'
)
SPACED = (
    b'{ "event": "message.failed", "message_id": "msg_test0002", "external_id": "+15550100002", "status": "failed", '
    b'"protocol": null, "error_code": "test_code", "error_message": "caf\xc3\xa9 \xe2\x98\x95", '
    b'"timestamp": 1760000300000 }\n'
)


@pytest.mark.parametrize(
    ("secret", "t", "body", "size", "signature"),
    [
        pytest.param(
            "whsec_test_secret_0001",
            1760000000,
            COMPACT,
            258,
            "ea4e38af310434fe901079203d3b4042064b4b1d72cd9c7da940c5788a0f2624",
            id="compact ASCII",
        ),
        pytest.param(
            "whsec_test_secret_0002",
            1760000300,
            SPACED,
            214,
            "0b851e9554c342e4c09296752d97fe6c0ee149ccbea52d8ad5f2cdd81830331b",
            id="spaces, UTF-8 and a newline at the end",
        ),
    ],
)
def test_vectors(secret, t, body, size, signature):
    """The time, a dot and the body as it is are signed with the whole secret."""
    assert len(body) == size
    assert sign(secret, body, t) == f"t={t},v1={signature}"


def test_the_mistaken_sample():
    """Signing the body alone gives the digest that everybody should refuse."""
    digest = "ef18f560cbdd6d87030289755243b4a5e02195ba00f80715db7c50209caf849f"

    assert sign_body_only("whsec_test_secret_0001", COMPACT) == digest
