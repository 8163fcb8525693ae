-- The key of each person whose data this service took first, wrapped with a key-encryption key from outside the
-- database. Whoever is erased keeps a row, without the key: a later event cannot bring one back.
create table log.person_keys (
    subject text collate "C" constraint person_keys_subject primary key,
    wrapped bytea,
    kek text collate "C",
    created_at timestamptz not null default clock_timestamp(),
    destroyed_at timestamptz,
    check ((wrapped is null) = (destroyed_at is not null)),
    check ((wrapped is null) = (kek is null))
);

-- Appends as log.append does, and stores the keys that its events are the first to need. A key made by somebody else
-- meanwhile violates person_keys_subject.
create function log.append_with_keys(
    _streams text[], _versions integer[], _types text[], _data json[],
    _actors text[], _correlations text[], _causations text[], _traceparents text[],
    _expected_streams text[], _expected integer[],
    _keys text[], _fingerprints bytea[], _outcomes json[], _key_places integer[],
    _fired bigint[], _fired_due timestamptz[], _timers json,
    _subjects text[], _wrapped bytea[], _keks text[],
    out incarnation integer, out tx xid8, out numbers bigint[]
) language plpgsql as $$
begin
    select a.incarnation, a.tx, a.numbers into incarnation, tx, numbers
    from log.append(
        _streams, _versions, _types, _data, _actors, _correlations, _causations, _traceparents,
        _expected_streams, _expected, _keys, _fingerprints, _outcomes, _key_places, _fired, _fired_due, _timers
    ) as a;

    insert into log.person_keys (subject, wrapped, kek)
    select n.subject, n.wrapped, n.kek
    from unnest(_subjects, _wrapped, _keks) as n(subject, wrapped, kek)
    order by n.subject;
end $$;
