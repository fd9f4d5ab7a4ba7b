"""Blooio's refusals."""

from typing import Any


class ApiError(Exception):
    """An answer that is not a 2xx: a message, the status, and sometimes a code with its context."""

    def __init__(self, status: int, message: str, code: str | None = None, **context: Any) -> None:
        super().__init__(message)
        self.status = status
        self.body = error_json(status, message, code, **context)


def error_json(status: int, message: str, code: str | None = None, **context: Any) -> dict[str, Any]:
    """The JSON of an error. `code` is absent where the real one has none."""
    coded = {} if code is None else {"code": code}
    return {"error": "ApiError", "message": message, "status": status, **coded, **context}
