"""What a command is measured against: one route of FastAPI, one INSERT of the row that the event would be."""

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import asyncpg
from fastapi import FastAPI
from pydantic import BaseModel

from benchmarks.append import BARE


class Dismissal(BaseModel):
    """What is asked."""

    member: str


@asynccontextmanager
async def pooled(app: FastAPI) -> AsyncGenerator[None]:
    """With connections to the database."""
    async with asyncpg.create_pool(os.environ["COMMONGRID_DATABASE_URL"], min_size=16, max_size=16) as pool:
        app.state.pool = pool
        yield


app = FastAPI(lifespan=pooled)


@app.post("/dismissals")
async def dismiss(dismissal: Dismissal) -> Dismissal:
    """Writes the row."""
    data = dismissal.model_dump_json()
    type_ = "commongrid.registry.member.dismissed.v1"
    await app.state.pool.execute(BARE, f"member-{dismissal.member}", 2, type_, data, "officer-1", None, None, None)
    return dismissal
