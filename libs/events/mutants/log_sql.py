"""Mutants of migrations/0001_log.sql, made by hand: each condition is taken away or turned round once."""

MUTANTS: dict[str, tuple[str, str]] = {
    "an append need not be the first write": (
        "if pg_current_xact_id_if_assigned() is not null then",
        "if false then",
    ),
    "a gap of versions is let through": ("where x.version > 0 and e.found is null", "where false"),
    "the expected version is looked for in any stream": (
        "where (e.stream, e.version) = (x.stream, x.version) limit 1",
        "where e.version = x.version limit 1",
    ),
    "new streams are expected to exist": (
        "where x.version > 0 and e.found is null",
        "where x.version >= 0 and e.found is null",
    ),
    "two events may have one version": (
        "constraint events_stream_version unique (stream, version)",
        "constraint events_stream_version unique (stream, version, position)",
    ),
    "versions may begin at 0": ("version integer not null check (version > 0)", "version integer not null"),
    "events may be rewritten": ("before update or delete or truncate on log.events", "before truncate on log.events"),
    "the log may be emptied": (
        "before update or delete or truncate on log.events",
        "before update or delete on log.events",
    ),
    "the events of an append come in any order": ("order by n.place\n", "order by n.place desc\n"),
    "an event is noted with the next one's cause": (
        "n.stream, n.version, n.type, n.data, n.actor, n.correlation, n.causation,",
        "n.stream, n.version, n.type, n.data, n.actor, n.causation, n.correlation,",
    ),
    "keys are not noted": ("if _keys is not null then", "if false then"),
    "a key is noted at its command's first event": (
        "numbers[n.place], _streams[n.place]",
        "numbers[1], _streams[n.place]",
    ),
    "a key is noted with the first stream": ("numbers[n.place], _streams[n.place]", "numbers[n.place], _streams[1]"),
    "a key may be used twice": ('key text collate "C" constraint commands_key primary key', "key text not null"),
    "a timer that was moved fires": (
        "where (t.id, t.due) = (n.id, n.due);",
        "where t.id = n.id;",
    ),
    "a timer that is gone fires": ("if _taken < cardinality(_fired) then", "if false then"),
    "a timer stays after it fired": ("if _fired is not null then", "if false then"),
    "no timer is set": ("if _timers is not null then", "if false then"),
    "a cancelled timer stays": ("where n.due is null and (t.policy,", "where false and (t.policy,"),
    "cancelling one forgets those of all streams": (
        "(t.policy, t.stream, t.name) = (n.policy, n.stream, n.name);",
        "(t.policy, t.name) = (n.policy, n.name);",
    ),
    "a timer that is set again is not moved": ("set due = excluded.due, causation", "set causation"),
    "a timer that is set again stays claimed": ("claimed_until = '-infinity', attempts = 0", "attempts = 0"),
    "a timer that is set again keeps its attempts": (
        "claimed_until = '-infinity', attempts = 0",
        "claimed_until = '-infinity'",
    ),
    "a timer that is set again keeps its error": ("attempts = 0, error = null", "attempts = 0"),
    "a timer that is set again keeps its trace": (
        "correlation = excluded.correlation,\n        traceparent = excluded.traceparent, ",
        "",
    ),
    "a timer that is set again keeps its cause": (
        "due = excluded.due, causation = excluded.causation",
        "due = excluded.due",
    ),
}
