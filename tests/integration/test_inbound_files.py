"""What is remembered of files on their way: steps that survive a crash, and a job of their own."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from bot.jobs import Jobs
from bot.storage.conversations import Conversations
from bot.storage.database import Pool, open_pool
from bot.storage.files import InboundFiles, KeptText, signing_key
from bot.storage.opt_outs import OptOuts
from bot.storage.presence import open_presence
from bot.storage.requests import Requests
from bot.texting.model import Address, Attachment, Inbound, Received
from bot.texting.service import new_id

SOON = timedelta(seconds=5)
PHOTO, DOCUMENT = Attachment("https://x.example/a.jpg", "a.jpg"), Attachment("https://x.example/b.pdf")


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[Pool]:
    async with open_pool(database_url) as pool:
        yield pool


@pytest.fixture
async def jobs(database_url: str, pool: Pool) -> AsyncIterator[Jobs]:
    async with open_presence(database_url) as presence, Jobs(pool, presence).open() as jobs:
        yield jobs


@pytest.fixture
def files(pool: Pool, jobs: Jobs) -> InboundFiles:
    return InboundFiles(pool, defer=jobs.defer_files)


async def receive(pool: Pool, jobs: Jobs, *attachments: Attachment) -> Inbound:
    """Store a text with files."""
    requests = Requests(pool, defer=jobs.defer)
    conversations = Conversations(pool, defer_files=jobs.defer_files, opt_outs=OptOuts(pool, requests=requests))
    incoming = await conversations.receive(
        Received("msg_1", Address("+15551234567"), "+15550109999", "Look", attachments, None, None, told=True),
        new_id(),
        opting=None,
        team_id="T1",
        lines=("+15550109999",),
        home="C1",
        now=datetime.now(UTC),
    )
    return incoming.inbound


async def queued(pool: Pool) -> list[tuple[str, str, str]]:
    """The jobs there are: queue, task and lock."""
    async with pool.connection() as connection:
        cursor = await connection.execute("SELECT queue_name, task_name, lock FROM procrastinate_jobs ORDER BY id")
        return [(queue, task, lock) for queue, task, lock in await cursor.fetchall()]


async def loaded(files: InboundFiles, inbound_id: UUID) -> KeptText:
    text = await files.load(inbound_id)
    assert text is not None
    return text


async def revision(pool: Pool, inbound_id: UUID) -> int:
    async with pool.connection() as connection:
        row = await (await connection.execute("SELECT revision FROM inbound WHERE id = %s", (inbound_id,))).fetchone()
        assert row is not None
        return int(row[0])


async def test_a_text_with_files_has_one_job_of_its_own(pool: Pool, jobs: Jobs) -> None:
    """In another queue than the texts, and told of twice it is one."""
    text = await receive(pool, jobs, PHOTO, DOCUMENT)
    await receive(pool, jobs, PHOTO, DOCUMENT)
    assert await queued(pool) == [("files", "fetch_files", f"files:{text.id}")]


async def test_a_text_without_files_has_none(pool: Pool, jobs: Jobs, files: InboundFiles) -> None:
    """There is nothing to do for it."""
    text = await receive(pool, jobs)
    assert await queued(pool) == []
    assert await files.load(text.id) is None


async def test_steps_of_a_file(pool: Pool, jobs: Jobs, files: InboundFiles) -> None:
    """Each is there for whoever goes on; the text is drawn again when the last one is done, and not before."""
    text = await receive(pool, jobs, PHOTO, DOCUMENT)
    photo, document = (await loaded(files, text.id)).waiting
    assert [photo.position, document.position] == [0, 1]
    await files.failed(document)
    await files.uploaded(photo, "F1", name="a.jpg", media_type="image/jpeg", size=9)
    await files.begin_sharing([photo])
    photo, document = (await loaded(files, text.id)).waiting
    assert (photo.file_id, photo.sharing_since is not None, document.attempts) == ("F1", True, 1)
    assert await revision(pool, text.id) == 1
    await files.shared([photo])
    assert await revision(pool, text.id) == 2
    assert (await loaded(files, text.id)).waiting == (document,)
    await files.refused([document], "could not be fetched: its link has expired.", again=False)
    assert await files.load(text.id) is None


async def test_what_is_settled_stays_settled(pool: Pool, jobs: Jobs, files: InboundFiles) -> None:
    """A job that was taken for dead comes too late to change it."""
    text = await receive(pool, jobs, PHOTO)
    (photo,) = (await loaded(files, text.id)).waiting
    await files.shared([photo])
    await files.refused([photo], "could not be shared.", again=True)
    await files.lost([photo])
    assert await files.load(text.id) is None
    assert not await files.again(text.id, seen_in="C1", within=SOON)


async def test_try_again_is_for_what_it_may_help(pool: Pool, jobs: Jobs, files: InboundFiles) -> None:
    """Many clicks at once are one job; what expired is left alone; a click elsewhere does nothing."""
    text = await receive(pool, jobs, PHOTO, DOCUMENT)
    photo, document = (await loaded(files, text.id)).waiting
    await files.refused([photo], "could not be shared: this workspace's storage is full.", again=True)
    await files.refused([document], "could not be fetched: its link has expired.", again=False)
    assert not await files.again(text.id, seen_in="C1", within=SOON)  # it stands nowhere yet
    async with pool.connection() as connection:
        await connection.execute("UPDATE inbound SET posted_in = 'C1'")
    assert not await files.again(text.id, seen_in="C2", within=SOON)
    clicks = await asyncio.gather(*(files.again(text.id, seen_in="C1", within=SOON) for _ in range(5)))
    assert sorted(clicks) == [False] * 4 + [True]
    assert [file.id for file in (await loaded(files, text.id)).waiting] == [photo.id]
    assert len(await queued(pool)) == 2


async def test_all_processes_sign_with_one_key(database_url: str) -> None:
    """Whoever asks first makes it, also when all of them do at once; nobody makes another."""
    async with open_pool(database_url) as one, open_pool(database_url) as other:
        keys = await asyncio.gather(*(signing_key(pool) for pool in (one, other) * 4))
        assert len(set(keys)) == 1
        assert len(keys[0]) == 32
        assert await signing_key(one) == keys[0]
