-- What it takes to read a thing that tells of a person, in one round trip: its events, and with each the key of whom the
-- stream is of. The offset keeps the planner from joining: each key is looked up by its index, see 0004.

create function log.load_with_keys(_streams text[])
returns table (
    incarnation integer, tx xid8, "position" bigint, stream text, version integer, type text, data json,
    recorded_at timestamptz, actor text, correlation text, causation text, traceparent text,
    kek text, wrapped bytea, destroyed_at timestamptz
) language sql stable rows 10
set enable_seqscan = off as $$
    select e.incarnation, e.tx, e.position, e.stream, e.version, e.type, e.data,
        e.recorded_at, e.actor, e.correlation, e.causation, e.traceparent, k.kek, k.wrapped, k.destroyed_at
    from log.events e
    left join lateral (
        select it.kek, it.wrapped, it.destroyed_at from log.person_keys it where it.subject = e.stream offset 0
    ) k on e.version = 1
    where e.stream = any(_streams) order by e.stream, e.version
$$;
