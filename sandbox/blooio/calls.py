"""A request to Blooio as a value, the answer to it, and the table of routes between the two."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from sandbox.blooio.errors import ApiError

MAX_LIMIT = 200


@dataclass(frozen=True)
class Answer:
    """Status and JSON value."""

    status: int
    payload: Any


@dataclass(frozen=True)
class Call:
    """One request, its path already decoded and matched."""

    names: Mapping[str, str]  # the values of the route's {placeholders}
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any  # parsed JSON; text when it is none
    api_key: str

    @property
    def fields(self) -> dict[str, Any]:
        """The JSON object that was posted, or a 400."""
        if not isinstance(self.body, dict):
            raise ApiError(400, "Request body must be a JSON object")
        return self.body

    @property
    def page(self) -> tuple[int, int]:
        """`limit` and `offset`, or a 400."""
        limit, offset = self.whole("limit", 50), self.whole("offset", 0)
        if not 1 <= limit <= MAX_LIMIT:
            raise ApiError(400, f"limit must be between 1 and {MAX_LIMIT}")
        if offset < 0:
            raise ApiError(400, "offset must not be negative")
        return limit, offset

    def whole(self, name: str, default: int) -> int:
        """A whole number of the query, or a 400."""
        try:
            return int(self.query.get(name, default))
        except ValueError:
            raise ApiError(400, f"{name} must be an integer") from None

    def choice(self, name: str, *choices: str) -> str:
        """One of *choices* of the query, the first when it is absent, or a 400."""
        value = self.query.get(name, choices[0])
        if value not in choices:
            raise ApiError(400, f"{name} must be one of: {', '.join(choices)}")
        return value


Endpoint = Callable[[Call], Awaitable[Answer]]
Routes = Mapping[str, Endpoint]  # "GET /contacts/{contact}" to what answers it


def decode(raw_path: str, *, plus_is_space: bool) -> list[str]:
    """The segments of a path as it came over the wire, each decoded by itself so that %2F stays inside one."""
    raw = raw_path.partition("?")[0].removeprefix("/")
    return [unquote(part.replace("+", " ") if plus_is_space else part) for part in raw.split("/")]


class RouteTable:
    """Finds the endpoint for a method and a decoded path."""

    def __init__(self, *tables: Routes) -> None:
        self._routes: dict[tuple[str, int], list[tuple[list[str], Endpoint]]] = {}
        for table in tables:
            for route, endpoint in table.items():
                method, _, path = route.partition(" ")
                pattern = path.strip("/").split("/")
                self._routes.setdefault((method, len(pattern)), []).append((pattern, endpoint))

    def find(self, method: str, segments: list[str]) -> tuple[Endpoint, dict[str, str]]:
        """The endpoint and its placeholders' values, or a 404."""
        for pattern, endpoint in self._routes.get((method, len(segments)), ()):
            names = _match(pattern, segments)
            if names is not None:
                return endpoint, names
        raise ApiError(404, f"No such endpoint: {method} /{'/'.join(segments)}")


def _match(pattern: list[str], segments: list[str]) -> dict[str, str] | None:
    names: dict[str, str] = {}
    for expected, segment in zip(pattern, segments, strict=True):
        if expected.startswith("{"):
            names[expected.strip("{}")] = segment
        elif expected != segment:
            return None
    return names
