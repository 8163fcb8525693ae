"""Work in the field without a network (离线办理): what a phone did meanwhile is brought, and it is told what is new.

Each command is asked of its own route, in order, in a transaction of its own: what is acknowledged is kept, and a batch
that was broken off is simply sent again.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

import orjson
from contracts.common import Title
from edge import Call, HttpProblem, Router
from edge.body import Whole
from edge.call import HttpCall
from edge.idempotency import value_of
from edge.ids import made_by
from edge.moments import Moment
from edge.within import Answered, asked
from events import NotYet, Token
from fastapi import Response
from pydantic import BaseModel, Field, StringConstraints

from grid_tasks.api.bodies import Body, Name
from grid_tasks.api.offline import OFFLINE, REPORT, VISIT_DO
from grid_tasks.api.powers import Powers
from grid_tasks.api.readers import reader_of
from grid_tasks.api.sync_titles import title_of
from grid_tasks.api.sync_token import SyncToken, beginning, scope_of
from grid_tasks.api.views import CaseDetails, CaseView, details, public
from grid_tasks.domain.case import CASE, Case
from grid_tasks.domain.moves import Actor, Step
from grid_tasks.domain.told_later import SAID, Judged, Judgement, judged
from grid_tasks.domain.visit import VISIT, VisitStep
from grid_tasks.read_models.field_work import changed, field_work, progress

router = Router(prefix="/sync", tags=["field work"])

MOST = 200
"""Commands in a batch."""
A_PAGE = 100
"""Cases in an answer."""
PATIENCE = 2.0
"""Seconds that the answer waits until it can show what the commands did; else the phone is told the next time."""

CommandId = Annotated[str, StringConstraints(pattern=r"^[!-~]{1,200}$")]
SyncedTo = Annotated[str, StringConstraints(max_length=400)]


class OfflineCommand(Body):
    """Something that was done without a network."""

    id: CommandId = Field(description="The phone's own, a UUID for instance; it is the command's Idempotency-Key")
    do: Name = Field(description="report, start, act-at-once, hand-in, … : the last word of the route's path")
    thing: Name | None = Field(None, description="The case or visit")
    of_report: CommandId | None = Field(None, description="Instead of `thing`: the id of the command that reported it")
    if_match: Whole = Field(
        0, ge=0, lt=1_000_000_000, description="The version that the phone had seen; 0: whatever it is now"
    )
    at: Moment | None = Field(None, strict=False, description="When it was done, by the phone's clock")
    seen: SyncedTo | None = Field(None, description="`next` as the phone had it then, if that was another than `since`")
    receipt: Annotated[str, StringConstraints(pattern=r"^[!-~]{1,200}$")] | None = None
    body: dict[str, Any] | None = Field(None, description="What the route takes")


class SyncBody(Body):
    """A batch: what the phone did, and from where it is to be told what is new."""

    since: SyncedTo | None = Field(None, description="`next` of the last answer; none: from the beginning")
    sent_at: Moment = Field(strict=False, description="What the phone's clock shows when this is sent")
    commands: Annotated[tuple[OfflineCommand, ...], Field(max_length=MOST, strict=False)] = ()


class Became(StrEnum):
    """What became of a command."""

    DONE = "done"
    CONFLICT = "conflict"  # what is so now stands against it: `now`
    REFUSED = "refused"  # `problem` says why, and what would be right
    WAITS = "waits"  # not decided: send it again, when what it waits for is settled


class Now(BaseModel):
    """How it stands with a case; or with a visit, of which the rest is empty."""

    version: int
    step: Step | VisitStep | None
    worker: str | None
    possible: list[str]
    by: dict[str, Actor] = Field(description="Whose each of these is")


class CommandAnswer(BaseModel):
    """What became of a command. What there is nothing to say of is left out."""

    id: str
    became: Became
    thing: str | None = Field(default=None, description="The case, also of a report")
    version: int | None = Field(default=None, description="What the case's version was after it")
    repeated: bool | None = Field(default=None, description="True where it had been done before")
    receipt: str | None = Field(default=None, description="Of a report: the reporter's secret (回执)")
    counts_at: datetime | None = Field(default=None, description="When it counts as done")
    time: Judgement | None = Field(default=None, description="What became of `at`")
    time_said: Title | None = None
    title: Title | None = None
    problem: dict[str, Any] | None = Field(default=None, description="As the route would answer it")
    now: Now | None = None


class Synced(BaseModel):
    """A case as it is now: as `GET /cases/{id}` shows it to the caller, with its version."""

    version: int
    case: CaseDetails | CaseView


class SyncView(BaseModel):
    """What became of the commands, and what is new."""

    now: datetime
    clock_off_seconds: int = Field(description="By how much the phone's clock is ahead")
    commands: list[CommandAnswer]
    anew: bool = Field(description="Forget all cases that you carry: this is the first page of all")
    changed: list[Synced] = Field(description="Cases that are new or changed")
    gone: list[str] = Field(description="Cases that are no longer yours to carry")
    next: str = Field(description="Send it as `since` the next time, with the commands that you make from now on")
    more: bool = Field(description="There are more changes: ask again at once")


@dataclass
class _Batch:
    """A batch while it is worked through."""

    call: HttpCall
    caller: str
    key: bytes
    body: SyncBody
    failed: set[str] = field(default_factory=set[str])
    """Things whose next step must not be taken, as one before it was not."""
    based: dict[str, tuple[int, int]] = field(default_factory=dict[str, tuple[int, int]])
    """By thing the version that the phone had seen, and what the batch has made of it."""
    token: Token | None = None

    async def take(self, command: OfflineCommand) -> CommandAnswer:
        """Does one, or says why not."""
        operation, thing = OFFLINE.get(command.do), self._thing(command)
        about = thing or self._made_by(command.id)
        if about in self.failed:
            return CommandAnswer(id=command.id, became=Became.WAITS, thing=about, title=title_of("comes-after"))
        if operation is None:
            known = sorted(OFFLINE)
            return self._refused(command, about, "no-such-command", f"do is one of {', '.join(known)}", possible=known)
        if (thing is None) is bool(operation.param_convertors):
            wrong = "give thing, or of_report; neither with a report"
            return self._refused(command, about, "invalid-input", wrong)
        when = self._judged(command)
        answer = await asked(self.call, operation, thing, command.body, self._headers(command, about), when.done_at)
        return await self._told(command, about, answer, when)

    def _thing(self, command: OfflineCommand) -> str | None:
        return self._made_by(command.of_report) if command.of_report else command.thing

    def _made_by(self, report: str) -> str:
        return made_by(value_of(report, self.caller, "POST", OFFLINE[REPORT].path))

    def _judged(self, command: OfflineCommand) -> Judged:
        known = SyncToken.read(command.seen or self.body.since, self.key, self.caller)
        return judged(command.at, self.body.sent_at, known and known.contact, self.call.now)

    def _headers(self, command: OfflineCommand, thing: str) -> dict[str, str]:
        seen = command.if_match
        if seen and thing in self.based and self.based[thing][0] == seen:
            seen = self.based[thing][1]  # the batch itself has moved it on
        headers = {"Idempotency-Key": command.id, "If-Match": f'"v{seen}"' if seen else "*"}
        for name in ("Accept-Language", "Consistency-Token"):
            if value := self.call.request.headers.get(name):
                headers[name] = value
        return headers | ({"Receipt": command.receipt} if command.receipt else {})

    async def _told(self, command: OfflineCommand, thing: str, answer: Answered, when: Judged) -> CommandAnswer:
        told = CommandAnswer(id=command.id, became=_became(answer), thing=thing)
        if answer.done:
            return self._done(command, told, answer, when)
        self.failed.add(thing)
        told.title, told.problem = title_of(answer.reason), answer.body
        if told.became is Became.CONFLICT:
            told.now = await (self._visit_now(thing) if command.do.startswith(VISIT_DO) else self._now(thing))
        return told

    def _done(self, command: OfflineCommand, told: CommandAnswer, answer: Answered, when: Judged) -> CommandAnswer:
        made: list[str] = [answer.body[name] for name in ("case", "visit", "patrol") if name in answer.body]
        told.thing = made[0] if made else told.thing
        told.version = int(answer.headers["etag"].strip('"v'))
        told.repeated = True if "idempotency-replayed" in answer.headers else None
        told.receipt = answer.body.get("receipt")
        told.counts_at, told.time, told.time_said = when.done_at or self.call.now, when.why, SAID.get(when.why)
        if command.if_match and told.thing:
            self.based[told.thing] = command.if_match, told.version
        if token := answer.headers.get("consistency-token"):
            found = Token.parse(token)
            if self.token is None or found.position > self.token.position:
                self.token = found
        return told

    def _refused(self, command: OfflineCommand, about: str, reason: str, detail: str, **members: Any) -> CommandAnswer:
        """One that has no route to be asked for."""
        self.failed.add(about)
        problem = orjson.loads(HttpProblem(reason, detail, status=422, **members).response().body)
        return CommandAnswer(id=command.id, became=Became.REFUSED, title=title_of(reason), problem=problem)

    async def _now(self, case: str) -> Now:
        state, version = await self.call.commands.load(CASE, case)
        return Now(
            version=version,
            step=state.step,
            worker=state.worker,
            possible=list(state.possible),
            by={it.name: it.by for it in state.moves},
        )

    async def _visit_now(self, visit: str) -> Now:
        state, version = await self.call.commands.load(VISIT, visit)
        return Now(version=version, step=state.step, worker=state.worker, possible=[], by={})


OTHERS_STEPS = frozenset({"not-your-case", "not-your-visit", "not-asked-to-help"})
"""What somebody else has done meanwhile makes these, though they are 403."""


def _became(answer: Answered) -> Became:
    if answer.done:
        return Became.DONE
    if answer.status >= 500 or answer.status == 429 or answer.reason == "conflict":
        return Became.WAITS
    if answer.status in (409, 412) or answer.reason in OTHERS_STEPS:
        return Became.CONFLICT
    return Became.REFUSED


@router.post("", power=Powers.HANDLE, asks=True, response_model=SyncView)
async def sync(body: SyncBody, call: Call) -> Response:
    """离线同步: brings what was done without a network, each command once, in order; and tells what has changed since,
    of the caller's own cases and of those of their grids. Each command goes by its own route's power and rules."""
    caller = call.require_caller()
    batch = _Batch(call, caller, await call.commands.personal.keys.index_key(), body)
    told = [await batch.take(command) for command in body.commands]
    await _catch_up(call, batch.token)
    off = round((body.sent_at - call.now).total_seconds())
    headers = {"Consistency-Token": str(batch.token)} if batch.token else {}
    return Response(_json(await _news(batch, told, off)), 200, headers, "application/json")


def _json(view: SyncView) -> bytes:
    """On the wire: of a command nothing is said where there is nothing to say."""
    plain = view.model_dump(mode="json")
    plain["commands"] = [{name: value for name, value in it.items() if value is not None} for it in plain["commands"]]
    return orjson.dumps(plain)


async def _catch_up(call: HttpCall, token: Token | None) -> None:
    """So that the answer shows what the commands did; what was done is done, so it is no error where that takes
    long."""
    await call.fresh(field_work)
    if token:
        try:
            await call.commands.wait_for(token, field_work, PATIENCE)
        except NotYet:
            return


async def _news(batch: _Batch, told: list[CommandAnswer], off: int) -> SyncView:
    call, caller = batch.call, batch.caller
    grids = call.grant.sql or []  # who has a power everywhere carries their own cases, not the city's
    upto = await progress(call.db)
    stands = SyncToken.read(batch.body.since, batch.key, caller)
    anew = stands is None or stands.scope != scope_of(grids)
    if stands is None or anew:
        stands = beginning(scope_of(grids), upto, call.now)
    found = await changed(call.db, caller, grids, stands.position, stands.first, A_PAGE + 1)
    page, more = found[:A_PAGE], len(found) > A_PAGE
    reached = page[-1].position if more else max([upto, *(it.position for it in page)])
    after = SyncToken(max(reached, stands.position), stands.first, stands.scope, call.now)
    return SyncView(
        now=call.now,
        clock_off_seconds=off,
        commands=told,
        anew=anew,
        changed=await _views(call, [it.case for it in page if it.here]),
        gone=[it.case for it in page if not it.here],
        next=after.signed(batch.key, caller),
        more=more,
    )


async def _views(call: HttpCall, cases: Sequence[str]) -> list[Synced]:
    """As the caller may see them; what is loaded at the same time goes to Postgres together."""
    reader = await reader_of(call)
    loaded = await asyncio.gather(*(call.commands.load(CASE, it) for it in cases))

    def seen(state: Case, version: int) -> CaseView:
        return details(state) if reader.reads(state) else public(state, version)

    return [Synced(version=version, case=seen(state, version)) for state, version in loaded]
