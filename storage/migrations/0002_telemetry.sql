-- Raw values: one wide row per asset and instant; a channel that the asset lacks or missed is null, never NaN.
-- No foreign keys on what comes by COPY: the fleet's registry has checked the asset. Columns are ordered
-- so that no byte is lost to alignment.

create table telemetry (
    ts timestamptz not null,
    bad bigint not null,
    asset_id int not null,
    score real,
    v0 real, v1 real, v2 real, v3 real, v4 real, v5 real, v6 real, v7 real,
    v8 real, v9 real, v10 real, v11 real, v12 real, v13 real, v14 real, v15 real,
    v16 real, v17 real, v18 real, v19 real, v20 real, v21 real, v22 real, v23 real,
    v24 real, v25 real, v26 real, v27 real, v28 real, v29 real, v30 real, v31 real,
    v32 real, v33 real, v34 real, v35 real, v36 real, v37 real, v38 real, v39 real,
    v40 real, v41 real, v42 real, v43 real, v44 real, v45 real, v46 real, v47 real,
    v48 real, v49 real, v50 real, v51 real, v52 real, v53 real, v54 real, v55 real,
    v56 real, v57 real, v58 real, v59 real, v60 real, v61 real, v62 real, v63 real,
    primary key (asset_id, ts)
);
comment on column telemetry.bad is 'bit k set: the value in column vk is not to be trusted';
comment on column telemetry.score is '-log10 of the probability that a healthy machine looks this odd; null: not scored';

-- The ledger that tells a frame sent twice from two frames under one number.
create table frame (
    boot_id bigint not null,
    seq bigint not null,
    digest bigint not null,
    "offset" bigint not null,
    first_ts timestamptz not null,
    asset_id int not null,
    rows int not null,
    primary key (asset_id, boot_id, seq)
);
comment on column frame.boot_id is 'unsigned 64 bit on the wire, the same bits here; so is seq';
create index frame_first_ts on frame using brin (first_ts) with (autosummarize = on);

-- The fleet as it is now, so that no screen has to search history for it.
create table asset_latest (
    asset_id int primary key references asset,
    ts timestamptz,
    score real,
    bad bigint,
    values real[],
    health real,
    health_ts timestamptz
) with (fillfactor = 50);

create table rollup_minute (
    ts timestamptz not null,
    asset_id int not null,
    n int not null,
    bad int not null,
    score_max real,
    vmin real[] not null,
    vmax real[] not null,
    vmean real[] not null,
    vcount int[] not null,
    primary key (asset_id, ts)
);
comment on table rollup_minute is 'element k + 1 of each array is channel k, over trusted values alone; bad counts instants with any bad bit';

create table rollup_hour (like rollup_minute including all);
create index rollup_hour_ts on rollup_hour using brin (ts) with (autosummarize = on);

-- Ranges within one hour that were written and not rolled up yet. Append-only: a writer never waits for the
-- job, and a range is visible exactly when its rows are.
create table rollup_due (
    id bigint generated always as identity primary key,
    first_ts timestamptz not null,
    last_ts timestamptz not null,
    asset_id int not null
);

-- requires: apache
drop index if exists telemetry_ts, rollup_minute_ts;
select create_hypertable('telemetry', by_range('ts', interval '1 day'),
                         create_default_indexes => false, migrate_data => true);
select create_hypertable('rollup_minute', by_range('ts', interval '30 days'),
                         create_default_indexes => false, migrate_data => true);

-- Removes what is older than `keep`: at least a day, so that a slip cannot empty the table. Returns how many
-- chunks went; a chunk goes when all of it is older.
create or replace function prune(kept regclass, keep interval, batch int) returns bigint
language plpgsql security definer set search_path = faultline, ext, pg_temp as $$
begin
    if kept not in ('telemetry'::regclass, 'rollup_minute'::regclass) or keep < interval '1 day' then
        raise exception 'prune: % is not to be pruned to %', kept, keep;
    end if;
    return (select count(*) from drop_chunks(kept, older_than => now() - keep));
end $$;
-- else
create index telemetry_ts on telemetry using brin (ts) with (pages_per_range = 32, autosummarize = on);
create index rollup_minute_ts on rollup_minute using brin (ts) with (pages_per_range = 32, autosummarize = on);

-- Removes at most `batch` rows older than `keep`: at least a day, so that a slip cannot empty the table.
-- Returns how many rows went.
create function prune(kept regclass, keep interval, batch int) returns bigint
language plpgsql security definer set search_path = faultline, ext, pg_temp as $$
declare
    removed bigint;
begin
    if kept not in ('telemetry'::regclass, 'rollup_minute'::regclass) or keep < interval '1 day' then
        raise exception 'prune: % is not to be pruned to %', kept, keep;
    end if;
    execute format('delete from %s where ctid = any (array(select ctid from %s where ts < $1 limit $2))', kept, kept)
        using now() - keep, batch;
    get diagnostics removed = row_count;
    return removed;
end $$;
-- end

revoke execute on function prune from public;
grant execute on function prune to faultline_writer;
grant select on telemetry, frame, asset_latest, rollup_minute, rollup_hour to faultline_reader;
grant select, insert on telemetry to faultline_writer;
grant select, insert, update on asset_latest, rollup_minute to faultline_writer;
grant select, insert, delete on frame, rollup_due to faultline_writer;
grant select, insert, update, delete on rollup_hour to faultline_writer;
