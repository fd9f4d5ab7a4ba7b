"""Durable work: one job a text, deferred in the transaction that stores it, in order per thread."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, LiteralString
from uuid import UUID

import psycopg
from procrastinate import App, BaseRetryStrategy, JobContext, PsycopgConnector, RetryDecision
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Job, Status
from procrastinate.manager import JobManager, NotificationCallback
from psycopg import AsyncConnection
from psycopg_pool import PoolTimeout

from bot.background import beside
from bot.files.incoming import IncomingFiles
from bot.signs import Signs
from bot.storage.database import Pool, set_up
from bot.storage.presence import WORKER, Presence
from bot.storage.queue import DELIVER, TEXTS, deferred
from bot.texting.service import Postponed, Texting

logger = logging.getLogger(__name__)

#: Texts under way at once in one process. They mostly wait for Blooio.
CONCURRENCY = 64

#: Files fetched at once in one process.
FILES_AT_ONCE = 8

#: How long a stopping worker waits for the texts under way; and for files, which are fetched again without harm.
GRACE_SECONDS = 20.0
FILES_GRACE_SECONDS = 3.0

#: How often jobs are looked for that no notification announces: due retries, a dead worker's jobs.
_POLL_SECONDS = 0.25
_WATCH_SECONDS = 5.0

_RECOVERING = 7_285_004  # advisory lock: one process returns a dead worker's jobs at a time

_DEAD_WORKERS_JOBS = """
    SELECT job.id FROM procrastinate_jobs job
     WHERE job.status = 'doing'
       AND NOT EXISTS (
           SELECT 1 FROM pg_locks l
            WHERE l.locktype = 'advisory' AND l.objsubid = 2 AND l.granted
              AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
              AND l.classid = %s AND l.objid = mod(job.worker_id, 4294967296))
"""


#: Parameters: queue, task, priority, lock, arguments.
_DEFER: LiteralString = f"SELECT {deferred('%s', '%s', '%s', '%s', '%s::jsonb')}"

#: Procrastinate's own way to take a job, with two changes. It does not wait for the disk: jobs are taken one after the
#: other, so that wait would be the pace of all texts. If the server loses the last of what it wrote, a job is taken
#: twice, which is safe. And the next job is read from the index that has them in order: a server that last counted the
#: jobs when there were none would read the whole table and sort, past all that were done since (twelve times slower).
_FETCH: LiteralString = """
    WITH at_once AS MATERIALIZED (
        SELECT set_config('synchronous_commit', 'off', true), set_config('enable_sort', 'off', true))
    SELECT job.id, job.status, job.task_name, job.priority, job.lock, job.queueing_lock, job.args, job.scheduled_at,
           job.queue_name, job.attempts, job.worker_id
      FROM at_once, procrastinate_fetch_job_v2(%(queues)s::varchar[], %(worker_id)s) job
"""


@dataclass(frozen=True, slots=True)
class _Queue:
    """Jobs that no other queue's can hold up: each has a worker of its own in every process."""

    name: str
    concurrency: int
    grace_seconds: float


#: However slow the fetching of files is, no text waits for it.
_TEXTS = _Queue(TEXTS, CONCURRENCY, GRACE_SECONDS)
_FILES = _Queue("files", FILES_AT_ONCE, FILES_GRACE_SECONDS)


class Jobs:
    """The queue. `defer` is for the storage, `work` for the worker."""

    def __init__(self, pool: Pool, presence: Presence) -> None:
        self._pool = pool
        self._presence = presence
        self._app, self._files_app = _app(_TEXTS, presence), _app(_FILES, presence)
        self._texting: Texting | None = None
        self._files: IncomingFiles | None = None
        self._signs: Signs | None = None

        @self._app.task(name=DELIVER, retry=_WhenPostponed())
        async def deliver(delivery_id: str) -> None:
            assert self._texting is not None  # noqa: S101  (`work` sets it before any job runs)
            await self._texting.deliver(UUID(delivery_id))

        @self._files_app.task(name="fetch_files", queue=_FILES.name, retry=_WhenPostponed())
        async def fetch_files(inbound_id: str) -> None:
            assert self._files is not None  # noqa: S101  (`work` sets it before any job runs)
            await self._files.bring(UUID(inbound_id))

        @self._app.task(name="show_tapback", retry=_WhenPostponed(), pass_context=True)
        async def show_tapback(context: JobContext, inbound_id: str) -> None:
            assert self._signs is not None  # noqa: S101  (`work` sets it before any job runs)
            await self._signs.show(UUID(inbound_id), attempt=context.job.attempts + 1)

        @self._app.task(name="mark_read", retry=_WhenPostponed(), pass_context=True)
        async def mark_read(context: JobContext, thread_id: int) -> None:
            assert self._signs is not None  # noqa: S101  (`work` sets it before any job runs)
            await self._signs.mark_read(thread_id, attempt=context.job.attempts + 1)

        self._fetch_files = fetch_files
        self._show_tapback = show_tapback
        self._mark_read = mark_read

    async def defer(
        self, connection: AsyncConnection[Any], delivery_id: UUID, thread_id: int, *, first: bool = False
    ) -> None:
        """Queue one text in the caller's transaction: behind the earlier ones of its thread, or before all of them."""
        job = TEXTS, DELIVER, int(first), f"thread:{thread_id}", json.dumps({"delivery_id": str(delivery_id)})
        await connection.execute(_DEFER, job)

    async def defer_files(self, connection: AsyncConnection[Any], inbound_id: UUID) -> None:
        """Queue the fetching of one text's files in the caller's transaction, behind an earlier job for the same."""
        job = self._fetch_files.configure(lock=f"files:{inbound_id}", connection=connection)
        await job.defer_async(inbound_id=str(inbound_id))

    async def defer_tapback(self, connection: AsyncConnection[Any], inbound_id: UUID) -> None:
        """Queue what brings the team's reactions to one text to the phone, in the caller's transaction."""
        job = self._show_tapback.configure(lock=f"tapback:{inbound_id}", connection=connection)
        await job.defer_async(inbound_id=str(inbound_id))

    async def defer_read(self, connection: AsyncConnection[Any], thread_id: int) -> None:
        """Queue the marking of one thread as read, in the caller's transaction."""
        job = self._mark_read.configure(lock=f"read:{thread_id}", connection=connection)
        await job.defer_async(thread_id=thread_id)

    @asynccontextmanager
    async def open(self) -> AsyncIterator["Jobs"]:
        async with self._app.open_async(self._pool), self._files_app.open_async(self._pool):
            yield self

    @asynccontextmanager
    async def work(self, texting: Texting, files: IncomingFiles, signs: Signs) -> AsyncIterator[None]:
        """Run jobs until the block is left; then finish those under way, within the grace period."""
        self._texting, self._files, self._signs = texting, files, signs
        async with (
            beside(self._watch_for_the_dead(), "watch for dead workers"),
            # Each finishes what is under way while the first still watches.
            beside(self._run_workers(self._app, _TEXTS), "worker"),
            beside(self._run_workers(self._files_app, _FILES), "files worker"),
        ):
            yield

    async def _run_workers(self, app: App, queue: _Queue) -> None:
        """Run a worker, and another when it gives up: it does when it loses the database."""
        while True:
            with suppress(ConnectorException, psycopg.Error):
                await app.run_worker_async(
                    queues=[queue.name],
                    concurrency=queue.concurrency,
                    install_signal_handlers=False,
                    fetch_job_polling_interval=_POLL_SECONDS,
                    delete_jobs="always",  # what became of a text stands in its row; old jobs would only pile up
                    shutdown_graceful_timeout=queue.grace_seconds,
                )
            logger.warning("worker_stopped")
            await asyncio.sleep(1)

    async def _watch_for_the_dead(self) -> None:
        while True:
            try:
                await self._presence.renew()  # or our own jobs would look like a dead worker's
                async with asyncio.timeout(_WATCH_SECONDS):  # whoever waits here for another does not say that we live
                    await self.return_jobs_of_the_dead()
            except (ConnectorException, psycopg.Error, PoolTimeout, TimeoutError):
                logger.warning("recovery_failed", exc_info=True)  # the database is away; the next round will tell
            await asyncio.sleep(_WATCH_SECONDS)

    async def return_jobs_of_the_dead(self) -> int:
        """Put the jobs of workers that are no more back into the queue; return how many."""
        async with self._pool.connection() as connection, connection.transaction():
            await connection.execute("SELECT pg_advisory_xact_lock(%s)", (_RECOVERING,))
            cursor = await connection.execute(_DEAD_WORKERS_JOBS, (WORKER,))
            jobs: list[Any] = [job_id for (job_id,) in await cursor.fetchall()]
            for job_id in jobs:
                await self._app.job_manager.retry_job_by_id_async(job_id, retry_at=datetime.now(UTC))
        if jobs:
            logger.info("jobs_returned count=%d", len(jobs))
        return len(jobs)


class _PresentWorkers(JobManager):
    """
    Workers that hold a lock for as long as they live, from before their first job.

    Two gaps of procrastinate's are closed on the way. A job whose end cannot be written while the database is away
    would stay `doing` under a living worker for ever, so the writing is repeated. And a job that waited for the lock
    of one just finished would wait for the next look at the queue, so the worker is told to look at once.
    """

    def __init__(self, connector: Any, presence: Presence, *, place: str) -> None:
        super().__init__(connector)
        self._presence = presence
        self._place = place
        self._look: NotificationCallback | None = None

    async def register_worker(self) -> int:
        worker_id = await super().register_worker()
        await self._presence.hold_worker(worker_id, self._place)
        return worker_id

    async def unregister_worker(self, worker_id: int) -> None:
        await super().unregister_worker(worker_id)
        await self._presence.release_worker(self._place)

    async def listen_for_jobs(
        self, *, on_notification: NotificationCallback, queues: Iterable[str] | None = None
    ) -> None:
        self._look = on_notification
        await super().listen_for_jobs(on_notification=on_notification, queues=queues)

    async def fetch_job(self, queues: Iterable[str] | None, worker_id: int) -> Job | None:
        row = await self.connector.execute_query_one_async(_FETCH, queues=queues, worker_id=worker_id)
        return Job.from_row(row) if row["id"] is not None else None

    async def finish_job_by_id_async(self, job_id: int, status: Status, delete_job: bool) -> None:  # noqa: FBT001
        await self._until_written(partial(super().finish_job_by_id_async, job_id, status, delete_job))
        if self._look is not None:
            await self._look(channel="", notification={"type": "job_inserted", "job_id": job_id})

    async def retry_job(self, job: Job, *args: Any, **kwargs: Any) -> None:
        await self._until_written(partial(super().retry_job, job, *args, **kwargs))

    async def _until_written(self, write: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await write()
            except ConnectorException as error:
                if isinstance(error.__cause__, psycopg.errors.RaiseException):
                    logger.warning("job_ended_elsewhere")  # our lock was lost for a while, and another took it over
                    return
                logger.warning("job_end_not_written", exc_info=True)
                await asyncio.sleep(1)
            else:
                return


def _app(queue: _Queue, presence: Presence) -> App:
    app = App(connector=PsycopgConnector(configure=set_up))  # the connection that it listens on, beside the pool
    app.job_manager = _PresentWorkers(app.connector, presence, place=queue.name)
    return app


class _WhenPostponed(BaseRetryStrategy):
    """A postponed text is tried at its time; an error of ours is tried a few times, ever later."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        if isinstance(exception, Postponed):
            return RetryDecision(retry_at=exception.until)
        return RetryDecision(retry_in={"seconds": min(2**job.attempts, 300)})
