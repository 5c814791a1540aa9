-- What customers and the maker have agreed on: how much of a meter a tenant's machines, those of a site or one machine
-- may use in each calendar month or year. A contract is not changed, it ends and another begins.
create table contract (
    tenant text not null references tenant,
    name text not null,
    meter text not null,
    unit text not null,
    allowance double precision not null check (allowance > 0),
    every text not null check (every in ('month', 'year')),
    begin_ts timestamptz not null,
    end_ts timestamptz check (end_ts >= begin_ts),
    site text,
    asset text,
    title_en text not null default '',
    title_zh text not null default '',
    primary key (tenant, name),
    check (site is null or asset is null),
    foreign key (tenant, site) references site,
    foreign key (tenant, asset) references asset (tenant, name)
);
comment on column contract.end_ts is 'null: it goes on';

grant select on contract to faultline_reader;
grant select, insert, update (end_ts) on contract to faultline_writer;

-- Where each wear counter stood on each day (UTC) that its machine was heard of: what was used up since when.
create table wear_day (
    asset_id int not null references asset,
    counter text not null,
    day date not null,
    value double precision not null,
    "limit" double precision not null,
    primary key (asset_id, counter, day)
);

grant select on wear_day to faultline_reader;
grant select, insert, update, delete on wear_day to faultline_writer;
