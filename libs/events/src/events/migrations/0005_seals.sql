-- The heads of the chain over log.events, one every minute: what `hash` makes of the first `count` rows, the last of them
-- at this position. What counts as evidence is what was published of them, outside of this database.
create table log.seals (
    number integer primary key check (number > 0),
    incarnation integer not null,
    tx xid8 not null,
    position bigint not null,
    count bigint not null,
    hash bytea not null check (length(hash) = 32),
    at timestamptz not null,
    published_at timestamptz
);
create index seals_unpublished on log.seals (number) where published_at is null;
