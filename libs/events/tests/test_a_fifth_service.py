"""The README's example is the file, and the file runs."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from events import Key
from events.runtime import Runtime
from events.testing import eventually, given, running
from noticeboard import NOTICE, NotHanging, NoticePosted, NoticeWithdrawn, Post, Withdraw, hanging, noticeboard, titles

HERE = Path(__file__).parents[1]
FRIDAY = datetime(2026, 11, 27, 18, 0, tzinfo=UTC)
POSTED = NoticePosted(notice="n1", title="停水通知", until=FRIDAY)


def test_the_readme_shows_the_file_as_it_is() -> None:
    example = (HERE / "examples" / "noticeboard.py").read_text(encoding="utf-8")
    assert f"```python\n{example}```" in (HERE / "README.md").read_text(encoding="utf-8")


def test_a_notice_is_posted_once() -> None:
    given(NOTICE).when(Post("n1", "停水通知", FRIDAY)).then(POSTED)
    given(NOTICE, POSTED).when(Post("n1", "停水通知", FRIDAY)).then()


def test_only_what_hangs_there_is_withdrawn() -> None:
    given(NOTICE, POSTED).when(Withdraw("n1", "done")).then(NoticeWithdrawn(notice="n1", reason="done"))
    given(NOTICE).when(Withdraw("n1", "done")).refused(NotHanging)


async def test_it_runs(new_database: Callable[..., Awaitable[str]], kafka_server: str, topic_prefix: str) -> None:
    now = [FRIDAY - timedelta(days=1)]
    async with running(noticeboard, await new_database(), kafka_server, topic_prefix, lambda: now[0]) as runtime:
        done = await runtime.commands.execute(NOTICE, "n1", Post("n1", "停水通知", FRIDAY), key=Key("request-1"))
        assert done.token
        await runtime.commands.wait_for(done.token, hanging)
        assert await titles(runtime.db) == ["停水通知"]
        now[0] = FRIDAY
        await eventually(lambda: _bare(runtime))


async def _bare(runtime: Runtime) -> bool:
    return await titles(runtime.db) == []
