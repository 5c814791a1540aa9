-- What was done to a machine, and when it failed: what remaining life is learned from, and begins anew at.
create table maintenance (
    asset_id int not null references asset,
    ts timestamptz not null,
    kind text not null check (kind in ('failed', 'restored')),
    note text not null default '',
    recorded_at timestamptz not null default now(),
    primary key (asset_id, ts, kind)
);

-- Which model of an equipment type answers, which is tried beside it, and which says how long such machines last: in
-- each role the newest row counts, one without a model ends it. Nothing is changed, so this is also the history.
create table model_use (
    model_use_id bigint generated always as identity primary key,
    equipment_type text not null references equipment_type,
    role text not null check (role in ('champion', 'challenger', 'prior')),
    forecaster text,
    version int,
    reason text not null,
    since timestamptz not null default now(),
    foreign key (equipment_type, forecaster, version) references model
);
create index model_use_newest on model_use (equipment_type, role, model_use_id desc);
insert into model_use (equipment_type, role, forecaster, version, reason)
select distinct on (equipment_type) equipment_type, 'champion', forecaster, version, 'the newest model answered before'
from model order by equipment_type, created_at desc, version desc;

-- What the challenger would have said.
create table shadow_forecast (like forecast including constraints, primary key (asset_id, target, ts));

grant select on maintenance, model_use, shadow_forecast to faultline_reader;
grant select, insert, update, delete on maintenance to faultline_writer;
grant select, insert on model_use, shadow_forecast to faultline_writer;
