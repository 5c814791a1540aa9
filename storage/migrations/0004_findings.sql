-- What the platform says about an asset.

create table health (
    ts timestamptz not null,
    asset_id int not null,
    health real not null,
    lowered_by jsonb not null,
    primary key (asset_id, ts)
);
create index health_ts on health using brin (ts) with (autosummarize = on);

create table episode (
    episode_id uuid primary key,
    asset_id int not null references asset,
    kind text not null,
    detector text not null,
    onset_ts timestamptz not null,
    end_ts timestamptz,
    peak_ts timestamptz not null,
    peak_score real not null,
    evidence jsonb not null
);
comment on column episode.end_ts is 'null: still on';
create index episode_asset on episode (asset_id, onset_ts);
create index episode_onset on episode (onset_ts);

create table forecast (
    asset_id int not null references asset,
    target text not null,
    ts timestamptz not null,
    forecaster text not null,
    verdict text not null,
    p10_h double precision,
    p50_h double precision,
    p90_h double precision,
    basis text not null,
    primary key (asset_id, target, ts)
);

create table wear_counter (
    asset_id int not null references asset,
    counter text not null,
    ts timestamptz not null,
    value double precision not null,
    warning double precision not null,
    "limit" double precision not null,
    unit text not null,
    primary key (asset_id, counter)
);

-- Fitted forecasters; a version is never changed, a new fit is a new version.
create table model (
    equipment_type text not null references equipment_type,
    forecaster text not null,
    version int not null,
    state bytea not null,
    lineage jsonb not null,
    created_at timestamptz not null default now(),
    primary key (equipment_type, forecaster, version)
);

grant select on health, episode, forecast, wear_counter to faultline_reader;
grant select (equipment_type, forecaster, version, lineage, created_at) on model to faultline_reader;
grant select, insert, delete on health to faultline_writer;
grant select, insert, update on episode, wear_counter to faultline_writer;
grant select, insert on forecast, model to faultline_writer;
