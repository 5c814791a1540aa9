-- Parts that a machine takes up in turn, as its tools, and that were changed: their wear counters begin anew there.
create table part_change (
    asset_id int not null references asset,
    part int not null check (part > 0),
    ts timestamptz not null,
    note text not null default '',
    recorded_at timestamptz not null default now(),
    primary key (asset_id, part, ts)
);
grant select on part_change to faultline_reader;
grant select, insert, update, delete on part_change to faultline_writer;
