"""The one SQLite database: one write funnel, readers beside it, nothing written while idle."""

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import aiosqlite

from app.clock import Clock
from app.errors import StoreError
from app.store.migrations import MIGRATIONS
from app.store.preparing import prepare
from app.store.troubles import is_trouble, store_error

_log = logging.getLogger(__name__)
_READERS = 4
_READER_WAIT_SECONDS = 30.0
_LOG_LIMIT_BYTES = 8 * 1024 * 1024
T = TypeVar("T")


class Store:
    """The database at `path`. Rows come as `sqlite3.Row`; every time in it is ms since 1970 UTC.

    `busy_seconds` bounds the wait for another process that writes the same file.
    """

    def __init__(self, path: Path, clock: Clock, busy_seconds: float = 5.0) -> None:
        self.path = path
        self.clock = clock
        self._busy_seconds = busy_seconds
        self._writer: aiosqlite.Connection | None = None
        self._writing = asyncio.Lock()
        self._writing_task: asyncio.Task[Any] | None = None
        self._idle_readers: list[aiosqlite.Connection] = []
        self._reader_places = asyncio.Semaphore(_READERS)

    async def open(self) -> None:
        """Make the folder and the file, or check the file (quick_check) and bring its tables up to date.

        Raises StoreError, one line, when it is damaged, locked, not ours to write, or of a newer version; it
        is then left as it was.
        """
        if self._writer is not None:
            return
        await asyncio.to_thread(prepare, self.path, MIGRATIONS, self._busy_seconds)
        self._writer = await self._connect(query_only=False)

    async def close(self) -> None:
        """Wait for the running write, move the log into the file and let it go; closing twice is fine.

        A log that cannot be moved (the disk is full) stays beside the file and is read at the next start.
        Readers in use close as they are given back.
        """
        async with self._writing:
            writer, self._writer = self._writer, None
            if writer is None:
                return
            await _to_the_end(self._close_all(writer))

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[aiosqlite.Connection]:
        """One transaction (BEGIN IMMEDIATE), committed when the block ends, rolled back when it raises.

        The only way to write: one block at a time, the others wait. Cancelled inside, it is rolled back;
        cancelled while committing, it is committed first. Announce what was written after the block. Keep it
        short, never wait for a neighbour in it, and no `executescript` (Python commits before it).

        Raises StoreError when the database is locked by another process beyond the bound, the disk is full or
        the file damaged: nothing of the block then stays. `sqlite3.IntegrityError` comes through as it is.
        """
        task = asyncio.current_task()
        if self._writing_task is not None and self._writing_task is task:
            raise RuntimeError(
                "writing() inside writing(): the inner one would wait for the outer one for ever"
            )
        async with self._writing:
            writer = self._opened()
            self._writing_task = task
            try:
                async with self._transaction(writer, "BEGIN IMMEDIATE"):
                    yield writer
            except sqlite3.Error as error:
                if is_trouble(error):
                    raise store_error(self.path, error) from error
                raise
            finally:
                self._writing_task = None

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[aiosqlite.Connection]:
        """Lend a connection that cannot write; all that is read in the block is of one moment.

        Raises StoreError when the database cannot be read, or all readers stay taken for 30 s: blocks should
        be short and not nested.
        """
        try:
            async with asyncio.timeout(_READER_WAIT_SECONDS):
                await self._reader_places.acquire()
        except TimeoutError:
            raise StoreError(f"{self.path}: too many reads at once; try again later") from None
        try:
            self._opened()
            reader = self._idle_readers.pop() if self._idle_readers else await self._connect(query_only=True)
            try:
                async with self._transaction(reader, "BEGIN"):
                    yield reader
            finally:
                await self._give_back(reader)
        except sqlite3.Error as error:
            if is_trouble(error):
                raise store_error(self.path, error) from error
            raise
        finally:
            self._reader_places.release()

    def _opened(self) -> aiosqlite.Connection:
        if self._writer is None:
            raise StoreError(f"{self.path}: the database is not open")
        return self._writer

    @asynccontextmanager
    async def _transaction(self, connection: aiosqlite.Connection, begin: str) -> AsyncIterator[None]:
        try:
            # A cancelled BEGIN may still take place in the connection's thread: the rollback queues after it.
            await connection.execute(begin)
            yield
            _still_in(connection)
            await _to_the_end(connection.commit())
        except BaseException:
            await _to_the_end(connection.rollback())
            raise

    async def _give_back(self, reader: aiosqlite.Connection) -> None:
        if self._writer is None or reader.in_transaction:
            await _to_the_end(reader.close())
        else:
            self._idle_readers.append(reader)

    async def _connect(self, *, query_only: bool) -> aiosqlite.Connection:
        connecting = asyncio.ensure_future(self._connect_whole(query_only=query_only))
        try:
            return await _to_the_end(connecting)
        except asyncio.CancelledError:
            # A connection is a thread and an open file: one that nobody waits for any more is closed.
            if connecting.exception() is None:
                await _to_the_end(connecting.result().close())
            raise

    async def _connect_whole(self, *, query_only: bool) -> aiosqlite.Connection:
        try:
            connection = await aiosqlite.connect(self.path, timeout=self._busy_seconds, isolation_level=None)
        except sqlite3.Error as error:
            raise store_error(self.path, error) from error
        connection.row_factory = sqlite3.Row
        try:
            for pragma in (
                "foreign_keys=ON",
                "synchronous=NORMAL",
                f"journal_size_limit={_LOG_LIMIT_BYTES}",
                f"query_only={'ON' if query_only else 'OFF'}",
            ):
                await connection.execute_fetchall(f"PRAGMA {pragma}")
        except sqlite3.Error as error:
            await connection.close()
            raise store_error(self.path, error) from error
        return connection

    async def _close_all(self, writer: aiosqlite.Connection) -> None:
        readers, self._idle_readers = self._idle_readers, []
        for reader in readers:
            await reader.close()
        try:
            await writer.execute_fetchall("PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite3.Error as error:
            # Nothing is lost by it, and who stops can do nothing about it: no reason to end badly.
            _log.warning("%s; the log stays beside it until the next start", store_error(self.path, error))
        finally:
            await writer.close()


def _still_in(connection: aiosqlite.Connection) -> None:
    if not connection.in_transaction:
        raise RuntimeError(
            "the transaction ended before its block did: no commit or rollback inside the block"
        )


async def _to_the_end(work: Awaitable[T]) -> T:
    """Run to the end what must not stop halfway; a cancellation meanwhile is raised afterwards."""
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        if not task.cancelled():
            task.exception()
        raise cancelled
    return task.result()
