-- What is watched, for whom. Names are the keys: they stand in topics, files and screens as well.

grant usage on schema faultline to faultline_writer, faultline_reader;
grant select on migration, migration_section to faultline_writer, faultline_reader;

create table tenant (
    name text primary key,
    title text not null
);

create table site (
    tenant text not null references tenant,
    name text not null,
    title text not null,
    timezone text not null,
    primary key (tenant, name)
);

create table equipment_type (
    name text primary key,
    title_en text not null,
    title_zh text not null
);

-- Column k of the wide telemetry table holds this channel's values, for good: nobody but the owner may
-- change its unit or its column.
create table channel (
    equipment_type text not null references equipment_type,
    name text not null,
    column_no int not null check (column_no between 0 and 63),
    unit text not null,
    low double precision not null,
    high double precision not null,
    kind text not null,
    rate_hz double precision not null,
    title_en text not null,
    title_zh text not null,
    primary key (equipment_type, name),
    unique (equipment_type, column_no)
);

create table asset (
    asset_id int generated always as identity primary key,
    tenant text not null,
    site text not null,
    name text not null,
    equipment_type text not null references equipment_type,
    title text not null,
    unique (tenant, name),
    foreign key (tenant, site) references site
);

grant select on tenant, site, equipment_type, channel, asset to faultline_reader;
grant select, insert on tenant, site, equipment_type, channel, asset to faultline_writer;
grant update (title) on tenant to faultline_writer;
grant update (title, timezone) on site to faultline_writer;
grant update (title_en, title_zh) on equipment_type to faultline_writer;
grant update (low, high, kind, rate_hz, title_en, title_zh) on channel to faultline_writer;
grant update (site, title) on asset to faultline_writer;
