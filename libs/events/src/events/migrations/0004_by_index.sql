-- What commands ask of the log goes by its indexes, whatever the planner thinks of the tables' size: a statement that was
-- prepared while a table was small would read the whole of it, and go on so while it grows, until the next analysis.

create function log.load(_streams text[]) returns setof log.events language sql stable rows 10
set enable_seqscan = off as $$
    select * from log.events where stream = any(_streams) order by stream, version
$$;

create function log.look_up_keys(_subjects text[]) returns setof log.person_keys language sql stable rows 10
set enable_seqscan = off as $$
    select * from log.person_keys where subject = any(_subjects)
$$;

alter function log.append set enable_seqscan = off;
