"""One request, as a route sees it: who calls, the trade's time, and the ways to execute a command or read a thing.

A command through `create` or `change` is atomic and takes effect once: the route need not know how.
"""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Annotated, Any, TypeAlias, TypeVar
from urllib.parse import quote

import orjson
from events import Aggregate, Commands, Context, Done, Key, NotFound, Pool, ReadModel, Token
from events.runtime import Runtime
from fastapi import Depends, Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel
from pydantic_core import to_jsonable_python

from edge.access import act_of
from edge.audit import Audit
from edge.authority import Authority, authority
from edge.body import require_storable
from edge.callers import BearerToken, Caller, Callers, not_signed_in
from edge.idempotency import key_of
from edge.ids import made_by, new_id
from edge.outside import exceeded
from edge.powers import Grant, granted, refusal
from edge.preconditions import etag, expected_version, is_known
from edge.problems import HttpProblem, current_trace_id
from edge.rates import Rates
from edge.routing import is_json, power_of

S = TypeVar("S")
C = TypeVar("C")
Body: TypeAlias = "BaseModel | Mapping[str, Any]"

PATIENCE = 5.0
"""Seconds that a query waits for a read model to show what its Consistency-Token's writer wrote."""


@dataclass
class HttpCall:
    """The request in hand."""

    request: Request
    runtime: Runtime
    caller: Caller
    grant: Grant
    """The power that the route names, as the caller holds it."""
    _made: set[str] = field(default_factory=set[str], init=False)

    @cached_property
    def now(self) -> datetime:
        """The trade's time, the same throughout the request."""
        return self.runtime.clock()

    @property
    def db(self) -> Pool:
        """For queries of this service's read models."""
        return self.runtime.db

    @cached_property
    def commands(self) -> Commands:
        """Commands on behalf of the caller, because of this request."""
        request_id = self.request.scope.get("edge.request_id") or secrets.token_hex(8)
        correlation = current_trace_id() or secrets.token_hex(16)
        return self.runtime.commands.by(
            Context(actor=self.caller.id, correlation=correlation, causation=f"request-{request_id}")
        )

    def new_id(self) -> str:
        """An id for a new thing."""
        id_ = new_id(self.now)
        self._made.add(id_)
        return id_

    async def id_by_key(self) -> str:
        """An id for the one thing that this request makes, derived from its Idempotency-Key: whoever called and holds
        the key knows it before they are answered (`made_by`). A new one for a caller whom nobody knows, whose keys
        are not theirs alone."""
        if self.caller.id is None or (key := await self.given_key()) is None:
            return self.new_id()
        id_ = made_by(key.value)
        self._made.add(id_)
        return id_

    @property
    def done_at(self) -> datetime | None:
        """When that was done which is told only now, where it was done without a network and the time is believed (see
        `edge.within`); None: now."""
        return self.request.scope.get("edge.done_at")

    def require_caller(self) -> str:
        """The caller's id, where the power is held by anybody; raises the 401 problem if they are anonymous."""
        if self.caller.id is None:
            raise not_signed_in()
        return self.caller.id

    async def may(self, power: str) -> Grant | None:
        """A further power, if the caller holds it."""
        authority: Authority = self.request.app.state.authority
        return granted(await authority.lists(), power, self.caller, self.now)

    async def still_may(self) -> bool:
        """For an answer that goes on and on: whether the power that the route names is the caller's still."""
        authority: Authority = self.request.app.state.authority
        power = self.grant.facts.power
        return granted(await authority.lists(), power, self.caller, self.runtime.clock()) is not None

    async def fields(self, purpose: str, grid: str | None, *powers: str) -> frozenset[str]:
        """The personal fields that the caller may see in the open for this purpose, by any of these powers, of somebody
        in this grid. Raises the 403 problem if there are none."""
        grants = [grant for power in powers if (grant := await self.may(power)) and grant.reaches(grid)]
        if not grants:
            raise HttpProblem("not-allowed", f"the power list does not give you {' or '.join(powers)} here")
        found = frozenset[str]().union(*(grant.purposes.get(purpose, ()) for grant in grants))
        if not found:
            raise HttpProblem(
                "not-for-this-purpose",
                f"the power list gives nothing for this purpose: see GET /powers/{powers[0]}",
            )
        return found

    async def put_on_record(self, *, thing: str | None = None, purpose: str | None = None) -> None:
        """Puts a privileged act that no event of the service tells of on the audit log; when it returns it is there.
        For what hands something out: call it before you answer."""
        audit: Audit | None = self.request.app.state.audit
        if audit is None:
            raise TypeError("this service has no audit log")
        await audit.record(
            self.commands,
            act_of(self.request.scope),
            self.now,
            actor=self.caller.id,
            client=self.caller.client,
            power=self.grant.facts.power,
            thing=thing,
            purpose=purpose,
            trace=current_trace_id(),
        )

    async def create(
        self,
        aggregate: Aggregate[S, C],
        id: object,
        command: C,
        *,
        view: Callable[[S, int], Body],
        location: str | None = None,
        status: int = 201,
    ) -> Response:
        """Executes a command that makes something, once for its Idempotency-Key, and answers with its view.

        `location` is the address of what was made, `{id}` standing for its id.
        """
        key = await self._key()
        where = location.format(id=quote(str(id), safe="")) if location else None
        done = await self.commands.execute(
            aggregate, id, command, new=id in self._made, key=key, view=_outcome(view, status, where)
        )
        return _answer(done)

    async def change(
        self,
        aggregate: Aggregate[S, C],
        id: object,
        command: C,
        *,
        view: Callable[[S, int], Body],
        grid: Callable[[S], str | None] | None = None,
        status: int = 200,
    ) -> Response:
        """Executes a command on the version that If-Match names, once for its Idempotency-Key.

        `grid` says in which grid the thing lies: out of the reach of the caller's power there is no such thing. Without
        it the thing is the whole community's.
        """
        key = await self._key()
        expected = expected_version(self.request.headers.get("If-Match"))
        _require_id(id)
        if expected is None and (await self.commands.load(aggregate, id))[1] == 0:
            raise NotFound("there is no such thing to change")
        done = await self.commands.execute(
            aggregate,
            id,
            command,
            expected=expected,
            key=key,
            view=_outcome(view, status, None),
            permit=lambda state: self._require(aggregate.stream(id), state, grid),
        )
        return _answer(done)

    async def read(
        self,
        aggregate: Aggregate[S, C],
        id: object,
        view: Callable[[S, int], Body],
        *,
        grid: Callable[[S], str | None] | None = None,
    ) -> Response:
        """Answers with the present state of a thing, from its own events; 304 if If-None-Match names that version.

        `grid` as with `change`.
        """
        _require_id(id)
        state, version = await self.commands.load(aggregate, id)
        if version == 0:
            raise NotFound("there is no such thing")
        self._require(aggregate.stream(id), state, grid)
        tag = etag(version)
        if is_known(self.request.headers.get("If-None-Match"), tag):
            return Response(status_code=304, headers={"ETag": tag})
        return Response(_json(_plain(view(state, version))), 200, {"ETag": tag}, "application/json")

    def _require(self, stream: str, state: S, grid: Callable[[S], str | None] | None) -> None:
        """Raises OutOfReach. The thing is there: so if the caller is refused, the audit log may name it."""
        self.request.scope["edge.thing"] = stream
        if grid:
            self.grant.require(grid(state))

    async def fresh(self, *read_models: ReadModel) -> None:
        """Waits until these read models show what the request's Consistency-Token stands for, if it has one.

        Raises NotYet (503) after `PATIENCE` seconds. Several tokens may be given, with commas between.
        """
        for token in _tokens(self.request):
            for read_model in read_models:
                await self.commands.wait_for(token, read_model, PATIENCE)

    async def given_key(self) -> Key | None:
        """The request's Idempotency-Key, for a standard whose clients need not send one: None where there is none."""
        return await self._key() if "Idempotency-Key" in self.request.headers else None

    async def _key(self) -> Key:
        scope = self.request.scope
        return key_of(
            self.request.headers.get("Idempotency-Key"),
            caller=self.caller.id,
            method=self.request.method,
            template=scope["route"].path,
            path=scope["path"],
            query=scope["query_string"],
            body=await self.request.body(),
        )


def _outcome(
    view: Callable[[Any, int], Body], status: int, location: str | None
) -> Callable[[Any, int], dict[str, Any]]:
    def outcome(state: Any, version: int) -> dict[str, Any]:
        return {"status": status, "body": _plain(view(state, version)), "version": version, "location": location}

    return outcome


def headers_of(done: Done[Any]) -> dict[str, str]:
    """What is said with every answer to a command, whose view keeps the `version`: where it stands, by which token it
    can be read, and whether this is a repetition."""
    headers = {"ETag": etag((done.outcome or {})["version"])}
    if done.token:
        headers["Consistency-Token"] = str(done.token)
    if done.repeated:
        headers["Idempotency-Replayed"] = "true"
    return headers


def _answer(done: Done[Any]) -> Response:
    outcome, headers = done.outcome or {}, headers_of(done)
    if outcome["location"]:
        headers["Location"] = outcome["location"]
    return Response(_json(outcome["body"]), outcome["status"], headers, "application/json")


def _plain(body: Body) -> Any:
    return to_jsonable_python(body)


def _json(value: Any) -> bytes:
    return orjson.dumps(value)


def _require_id(id: object) -> None:
    text = str(id)
    if not (0 < len(text) <= 200 and text.isprintable()):
        raise NotFound("there is no such thing")


def _tokens(request: Request) -> list[Token]:
    texts = request.headers.get("Consistency-Token", "").split(",")
    return [_token(text.strip()) for text in texts if text.strip()]


def _token(text: str) -> Token:
    try:
        token = Token.parse(text)
        incarnation, tx, number = token.position
        if not (0 <= incarnation < 2**31 and 0 <= tx < 2**64 and 0 <= number < 2**63):
            raise ValueError(text)
    except ValueError:
        raise HttpProblem(
            "consistency-token-malformed", "pass on, unchanged, the Consistency-Token that a command answered"
        ) from None
    return token


class CallOf(BearerToken):
    """The dependency that gives the call; raises a problem if the token is not accepted, if the caller has not the
    power that the route names, or if the body that it asked for could not be kept. It is the only one, and
    asynchronous: each more would cost as much as a query."""

    async def __call__(self, request: Request) -> HttpCall:
        route: APIRoute = request.scope["route"]
        state = request.app.state
        caller = request.scope.get("edge.caller") or await _caller(state.callers, request.headers.get("Authorization"))
        request.scope["edge.caller"] = caller
        grant = await _grant(request, power_of(route) or "", caller)
        _require_quota(request, grant, caller)
        if route.body_field and is_json(request):
            require_storable(await request.body())
        return HttpCall(request, state.runtime, caller, grant)


async def _caller(callers: Callers, authorization: str | None) -> Caller:
    if authorization:
        await callers.prepare(authorization)
    return callers.caller_of(authorization)


async def _grant(request: Request, power: str, caller: Caller) -> Grant:
    """The power as the caller holds it; nobody is refused before the lists of this moment, and those that they say they
    have seen, have been looked at."""
    held: Authority = request.app.state.authority
    runtime: Runtime = request.app.state.runtime
    at = runtime.clock()
    if grant := granted(await held.lists(), power, caller, at):
        return grant
    for token in _tokens(request):
        await runtime.commands.wait_for(token, authority, PATIENCE)
    lists = await held.anew()
    if grant := granted(lists, power, caller, at):
        return grant
    raise refusal(power, caller, lists)


def _require_quota(request: Request, grant: Grant, caller: Caller) -> None:
    """Takes one of a partner's quota, if the power list gives them one. Raises the 429 problem if none is left."""
    rates: Rates | None = request.app.state.rates
    if rates is None or grant.quota is None or caller.client is None:
        return
    buckets = rates.buckets_of_power(grant.facts.power, grant.quota)
    may, request.scope["edge.quota"] = buckets.take(caller.client)
    if not may:
        raise exceeded(buckets)


Call: TypeAlias = Annotated[HttpCall, Depends(CallOf())]
