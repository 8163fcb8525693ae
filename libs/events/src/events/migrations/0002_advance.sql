-- Moves a consumer's marks from where the caller thinks that they are, in the caller's transaction, or refuses to: CG004
-- if one is elsewhere, or if the read model's tables are not those that were built at that time. A function, because
-- what is sent together with a BEGIN is planned anew each time.
create function log.advance(
    _consumer text, _built_at timestamptz, _sources text[], _partitions integer[],
    _old_offsets bigint[], _old_incarnations integer[], _old_txs xid8[], _old_positions bigint[],
    _next_offsets bigint[], _incarnations integer[], _txs xid8[], _positions bigint[]
) returns void language plpgsql as $$
declare
    _moved integer;
begin
    update log.progress p
    set next_offset = n.next_offset, incarnation = n.incarnation, tx = n.tx, position = n.position,
        updated_at = clock_timestamp()
    from unnest(_sources, _partitions, _old_offsets, _old_incarnations, _old_txs, _old_positions,
                _next_offsets, _incarnations, _txs, _positions)
         as n(source, partition, old_offset, old_incarnation, old_tx, old_position,
              next_offset, incarnation, tx, position)
    where p.consumer = _consumer and p.source = n.source and p.partition = n.partition
      and (p.next_offset, p.incarnation, p.tx, p.position)
        = (n.old_offset, n.old_incarnation, n.old_tx, n.old_position)
      and (select r.created_at from log.read_models r where r.schema = _consumer) is not distinct from _built_at;
    get diagnostics _moved = row_count;
    if _moved <> cardinality(_sources) then
        raise exception '% was %', _consumer, case
            when (select r.created_at from log.read_models r where r.schema = _consumer) is distinct from _built_at
            then 'rebuilt' else 'advanced by somebody else' end
            using errcode = 'CG004';
    end if;
end $$;
