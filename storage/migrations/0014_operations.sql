-- How the platform itself is, for those who run it.
alter table access drop constraint access_kind_check;
alter table access add constraint access_kind_check
    check (kind in ('customer', 'technician', 'maker', 'operations'));

-- Each partition as its worker last saw it; `moved_at`: when something was stored last, or nothing was there to store.
create table partition_state (
    consumer text not null,
    topic text not null,
    partition int not null,
    next_offset bigint not null,
    lag bigint not null,
    delay_s real,
    halted text,
    moved_at timestamptz not null default now(),
    seen_at timestamptz not null default now(),
    primary key (consumer, topic, partition)
) with (fillfactor = 50);
comment on column partition_state.delay_s is 'of what was stored last, from its coming into the log; null: nothing was yet';
comment on column partition_state.halted is 'why it stands still on purpose; null: it does not';

-- All partitions of a consumer together, a row each minute.
create table platform_minute (
    ts timestamptz not null,
    consumer text not null,
    records bigint not null,
    lag bigint not null,
    delay_s real,
    database_bytes bigint not null,
    primary key (ts, consumer)
);
comment on column platform_minute.records is 'stored since the topics began; after a topic was made anew it falls';

grant select, insert, update, delete on partition_state to faultline_writer;
grant select, insert, delete on platform_minute to faultline_writer;
grant select on partition_state, platform_minute to faultline_reader;

comment on view visible_asset is 'what views of an earlier release read';
