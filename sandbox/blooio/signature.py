"""`X-Blooio-Signature`."""

import hashlib
import hmac


def sign(secret: str, body: bytes, t: int) -> str:
    """The header for *body* at *t* (epoch seconds). The key is the whole secret, its `whsec_` included."""
    return f"t={t},v1={_hmac(secret, f'{t}.'.encode() + body)}"


def sign_body_only(secret: str, body: bytes) -> str:
    """What one of Blooio's samples shows: the bare body's HMAC. It bounds no replay, so nobody should accept it."""
    return _hmac(secret, body)


def _hmac(secret: str, signed: bytes) -> str:
    return hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
