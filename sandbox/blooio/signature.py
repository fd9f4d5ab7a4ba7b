"""`X-Blooio-Signature`."""

import hashlib
import hmac

TOLERANCE = 300  # seconds between signing and receiving


def sign(secret: str, body: bytes, t: int) -> str:
    """The header for *body* at *t* (epoch seconds). The key is the whole secret, its `whsec_` included."""
    return f"t={t},v1={_hmac(secret, f'{t}.'.encode() + body)}"


def check(secret: str, body: bytes, header: str, now: float) -> str:
    """Say what a careful receiver finds: "valid", "old" (nobody should accept it) or "wrong"."""
    t = header.partition("t=")[2].partition(",")[0]
    if not t.isdecimal() or not hmac.compare_digest(sign(secret, body, int(t)), header):
        return "wrong"
    return "valid" if abs(now - int(t)) <= TOLERANCE else "old"


def sign_body_only(secret: str, body: bytes) -> str:
    """What one of Blooio's samples shows: the bare body's HMAC. It bounds no replay, so nobody should accept it."""
    return _hmac(secret, body)


def _hmac(secret: str, signed: bytes) -> str:
    return hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
