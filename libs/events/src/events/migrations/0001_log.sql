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

-- Appends what one command or several have decided, in one round trip and one transaction: their events, idempotency
-- keys and timers.
--
-- _streams … _traceparents             the events, each stream's versions rising by one
-- _expected_streams, _expected         the version of each touched stream before this append (0: it is new)
-- _keys, _fingerprints, _outcomes      the idempotency keys of commands, or null
-- _key_places                          for each key, the place of its command's last event
-- _fired, _fired_due                   the timers that led to the commands, or null
-- _timers                              [{policy, stream, name, due, causation, correlation, traceparent}], due null
--                                      to cancel; or null
-- numbers                              the position of each event
--
-- Positions are ordered by transaction id, and readers read below the oldest running transaction. That is right
-- only if a transaction gets its id here, after the state it decides on was read: hence CG001. Versions without a
-- gap follow from _expected, read before the id is given: CG409. A version taken meanwhile violates
-- events_stream_version; a key used before violates commands_key.
create function log.append(
    _streams text[], _versions integer[], _types text[], _data json[],
    _actors text[], _correlations text[], _causations text[], _traceparents text[],
    _expected_streams text[], _expected integer[],
    _keys text[], _fingerprints bytea[], _outcomes json[], _key_places integer[],
    _fired bigint[], _fired_due timestamptz[], _timers json,
    out incarnation integer, out tx xid8, out numbers bigint[]
) language plpgsql as $$
declare
    _taken integer;
begin
    if pg_current_xact_id_if_assigned() is not null then
        raise exception 'an append must be the first write of its transaction' using errcode = 'CG001';
    end if;

    -- The limit keeps the planner to the index, whatever it thinks of the table's size.
    if exists (
        select from unnest(_expected_streams, _expected) as x(stream, version)
        left join lateral (
            select true as found from log.events e where (e.stream, e.version) = (x.stream, x.version) limit 1
        ) as e on true
        where x.version > 0 and e.found is null
    ) then
        raise exception 'a stream is not at its expected version' using errcode = 'CG409';
    end if;

    select s.incarnation into incarnation from log.store s;
    tx := pg_current_xact_id();

    with appended as (
        insert into log.events as e
            (incarnation, tx, stream, version, type, data, actor, correlation, causation, traceparent)
        select append.incarnation, append.tx,
               n.stream, n.version, n.type, n.data, n.actor, n.correlation, n.causation, n.traceparent
        from unnest(_streams, _versions, _types, _data, _actors, _correlations, _causations, _traceparents)
            with ordinality as n(stream, version, type, data, actor, correlation, causation, traceparent, place)
        order by n.place
        returning e.position
    )
    select array_agg(position) into numbers from appended;

    if _keys is not null then
        insert into log.commands (key, fingerprint, outcome, incarnation, tx, position, stream)
        select n.key, n.fingerprint, n.outcome, append.incarnation, append.tx, numbers[n.place], _streams[n.place]
        from unnest(_keys, _fingerprints, _outcomes, _key_places) as n(key, fingerprint, outcome, place);
    end if;

    if _fired is not null then
        delete from log.timers t using unnest(_fired, _fired_due) as n(id, due) where (t.id, t.due) = (n.id, n.due);
        get diagnostics _taken = row_count;
        if _taken < cardinality(_fired) then
            raise exception 'a timer was taken, moved or cancelled meanwhile' using errcode = 'CG003';
        end if;
    end if;

    if _timers is not null then
        perform log.set_timers(_timers);
    end if;
end $$;

create function log.set_timers(_timers json) returns void language plpgsql as $$
begin
    delete from log.timers t
    using json_to_recordset(_timers) as n(policy text, stream text, name text, due timestamptz)
    where n.due is null and (t.policy, t.stream, t.name) = (n.policy, n.stream, n.name);

    insert into log.timers as t (policy, stream, name, due, causation, correlation, traceparent)
    select n.policy, n.stream, n.name, n.due, n.causation, n.correlation, n.traceparent
    from json_to_recordset(_timers) as n(policy text, stream text, name text, due timestamptz, causation text,
                                         correlation text, traceparent text)
    where n.due is not null
    on conflict (policy, stream, name) do update
    set due = excluded.due, causation = excluded.causation, correlation = excluded.correlation,
        traceparent = excluded.traceparent, claimed_until = '-infinity', attempts = 0, error = null;
end $$;
