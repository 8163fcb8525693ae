-- The event log of one service. Everything of the kernel stands in the schema "log".

create schema log;

-- One row. The incarnation is raised when the store is brought back from a backup; it comes first in every
-- position, so that numbers handed out anew are never mistaken for ones that consumers have already seen.
create table log.store (
    only_row boolean primary key default true check (only_row),
    incarnation integer not null default 1
);
insert into log.store default values;

-- The events. (incarnation, tx, position) is the order in which every reader is given them.
create table log.events (
    incarnation integer not null,
    tx xid8 not null,
    position bigint generated always as identity,
    stream text collate "C" not null,
    version integer not null check (version > 0),
    type text collate "C" not null,
    data json not null,
    recorded_at timestamptz not null default clock_timestamp(),
    actor text,
    correlation text,
    causation text,
    traceparent text,
    primary key (incarnation, tx, position),
    constraint events_stream_version unique (stream, version)
);

create function log.refuse_rewriting() returns trigger language plpgsql as $$
begin
    raise exception 'log.events is append-only' using errcode = 'CG002',
        hint = 'A fact that proved wrong is corrected by another event.';
end $$;
create trigger append_only before update or delete or truncate on log.events
    for each statement execute function log.refuse_rewriting();

-- Idempotency keys of commands, with what was answered.
create table log.commands (
    key text collate "C" constraint commands_key primary key,
    fingerprint bytea not null,
    outcome json not null,
    incarnation integer not null,
    tx xid8 not null,
    position bigint not null,
    stream text collate "C" not null,
    recorded_at timestamptz not null default clock_timestamp()
);
create index commands_recorded_at on log.commands using brin (recorded_at);

-- Durable timers. `due` is by the trade's clock, `claimed_until` by the machine's.
create table log.timers (
    id bigint generated always as identity primary key,
    policy text collate "C" not null,
    stream text collate "C" not null,
    name text collate "C" not null,
    due timestamptz not null,
    causation text not null,
    correlation text,
    traceparent text,
    claimed_until timestamptz not null default '-infinity',
    attempts integer not null default 0,
    error text,
    unique (policy, stream, name)
);
create index timers_due on log.timers (due);

-- How far each consumer has come: one row per (consumer, source, partition). `source` is a topic, or '' for the
-- service's own store. Advanced by compare-and-swap in the transaction of the rows that it vouches for.
create table log.progress (
    consumer text collate "C" not null,
    source text collate "C" not null,
    partition integer not null,
    next_offset bigint not null default 0,
    incarnation integer not null default 0,
    tx xid8 not null default '0',
    position bigint not null default 0,
    updated_at timestamptz not null default clock_timestamp(),
    primary key (consumer, source, partition)
) with (fillfactor = 50);

-- The read models' tables: one schema for each version, and one for a rebuild under way.
create table log.read_models (
    schema text collate "C" primary key,
    name text collate "C" not null,
    version integer not null,
    created_at timestamptz not null default clock_timestamp(),
    caught_up_at timestamptz
);

-- Events that a consumer could not take, and the later ones of their streams behind them, in order.
create table log.parked (
    id bigint generated always as identity primary key,
    consumer text collate "C" not null,
    source text collate "C" not null,
    partition integer not null,
    stream text collate "C" not null,
    version integer not null,
    type text collate "C" not null,
    data bytea not null,
    recorded_at timestamptz not null,
    incarnation integer not null,
    tx xid8 not null,
    position bigint not null,
    actor text,
    correlation text,
    causation text,
    traceparent text,
    error text not null,
    parked_at timestamptz not null default clock_timestamp()
);
create index parked_stream on log.parked (consumer, stream, id);

-- Who does what only one process should do at a time. A hint that saves work; correctness never rests on it.
create table log.leases (
    name text collate "C" primary key,
    holder text not null,
    expires_at timestamptz not null
);

-- Appends events, in one round trip and one transaction with their idempotency key and their timers.
--
-- _streams, _versions, _types, _data   the events, each stream's versions rising by one
-- _expected_streams, _expected         the version of each touched stream before this append (0: it is new)
-- _key, _fingerprint, _outcome         the idempotency key of the command, or null
-- _fired, _fired_due                   the timer that led to the command, or null
-- _timers                              [{policy, stream, name, due, causation}], due null to cancel; or null
--
-- Positions are ordered by transaction id, and readers read below the oldest running transaction. That is right
-- only if a transaction gets its id here, after the state it decides on was read: hence CG001. Versions without a
-- gap follow from _expected, read before the id is given: CG409. A version taken meanwhile violates
-- events_stream_version; a key used before violates commands_key.
create function log.append(
    _streams text[], _versions integer[], _types text[], _data json[],
    _expected_streams text[], _expected integer[],
    _actor text, _correlation text, _causation text, _traceparent text,
    _key text, _fingerprint bytea, _outcome json,
    _fired bigint, _fired_due timestamptz, _timers json,
    out incarnation integer, out tx xid8, out number bigint
) language plpgsql as $$
declare
    _following integer;
begin
    if pg_current_xact_id_if_assigned() is not null then
        raise exception 'an append must be the first write of its transaction' using errcode = 'CG001';
    end if;

    if cardinality(_expected) = 1 then
        if _expected[1] > 0 and not exists (
            select from log.events e where e.stream = _expected_streams[1] and e.version = _expected[1]
        ) then
            raise exception 'a stream is not at its expected version' using errcode = 'CG409';
        end if;
    else
        select count(*) - count(e.version) into _following
        from unnest(_expected_streams, _expected) as x(stream, version)
        left join log.events e using (stream, version)
        where x.version > 0;
        if _following > 0 then
            raise exception 'a stream is not at its expected version' using errcode = 'CG409';
        end if;
    end if;

    select s.incarnation into incarnation from log.store s;
    tx := pg_current_xact_id();

    if cardinality(_streams) = 1 then
        insert into log.events as e (incarnation, tx, stream, version, type, data, actor, correlation, causation, traceparent)
        values (append.incarnation, append.tx, _streams[1], _versions[1], _types[1], _data[1],
                _actor, _correlation, _causation, _traceparent)
        returning e.position into number;
    else
        with appended as (
            insert into log.events as e (incarnation, tx, stream, version, type, data, actor, correlation, causation, traceparent)
            select append.incarnation, append.tx, n.stream, n.version, n.type, n.data,
                   _actor, _correlation, _causation, _traceparent
            from unnest(_streams, _versions, _types, _data) with ordinality as n(stream, version, type, data, place)
            order by n.place
            returning e.position
        )
        select max(position) into number from appended;
    end if;

    if _key is not null then
        insert into log.commands (key, fingerprint, outcome, incarnation, tx, position, stream)
        values (_key, _fingerprint, _outcome, append.incarnation, append.tx, append.number, _streams[1]);
    end if;

    if _fired is not null then
        delete from log.timers where id = _fired and due = _fired_due;
        if not found then
            raise exception 'the timer was taken, moved or cancelled meanwhile' using errcode = 'CG003';
        end if;
    end if;

    if _timers is not null then
        perform log.set_timers(_timers, _correlation, _traceparent);
    end if;
end $$;

create function log.set_timers(_timers json, _correlation text, _traceparent text) returns void language plpgsql as $$
begin
    delete from log.timers t
    using json_to_recordset(_timers) as n(policy text, stream text, name text, due timestamptz)
    where n.due is null and (t.policy, t.stream, t.name) = (n.policy, n.stream, n.name);

    insert into log.timers as t (policy, stream, name, due, causation, correlation, traceparent)
    select n.policy, n.stream, n.name, n.due, n.causation, _correlation, _traceparent
    from json_to_recordset(_timers) as n(policy text, stream text, name text, due timestamptz, causation text)
    where n.due is not null
    on conflict (policy, stream, name) do update
    set due = excluded.due, causation = excluded.causation, correlation = excluded.correlation,
        traceparent = excluded.traceparent, claimed_until = '-infinity', attempts = 0, error = null;
end $$;
