-- Features of segments that come a few times a day, as of a machine tool's test program, beside what was expected.
create table segment_feature (
    asset_id int not null references asset,
    segment text not null,
    feature text not null,
    ts timestamptz not null,
    value real not null,
    expected real,
    unit text not null,
    primary key (asset_id, segment, feature, ts)
);
comment on column segment_feature.expected is 'what is normal for the machine, or at first for its type; null: not known yet';
create index segment_feature_ts on segment_feature using brin (ts) with (autosummarize = on);

grant select on segment_feature to faultline_reader;
grant select, insert, delete on segment_feature to faultline_writer;
