-- How far each consumer is, and what became of every record it read.

-- The epoch grows with each claim; whoever holds an older one is fenced off. next_offset null: nothing stored.
create table sink_offset (
    consumer text not null,
    topic text not null,
    partition int not null,
    epoch bigint not null,
    next_offset bigint,
    primary key (consumer, topic, partition)
) with (fillfactor = 50);

create table partition_tally (
    consumer text not null,
    topic text not null,
    partition int not null,
    stored bigint not null,
    duplicate bigint not null,
    dead bigint not null,
    tombstone bigint not null,
    primary key (consumer, topic, partition)
) with (fillfactor = 50);

create table snapshot (
    consumer text not null,
    topic text not null,
    partition int not null,
    next_offset bigint not null,
    sha256 bytea not null,
    state bytea not null,
    created_at timestamptz not null default now(),
    primary key (consumer, topic, partition)
);

create table dead_letter (
    id bigint generated always as identity primary key,
    consumer text not null,
    topic text not null,
    partition int not null,
    "offset" bigint not null,
    reason text not null,
    detail text not null,
    key bytea,
    value bytea not null,
    size bigint not null,
    header_names text[] not null,
    header_values bytea[] not null,
    recorded_at timestamptz not null,
    created_at timestamptz not null default now(),
    replayed_at timestamptz,
    unique (consumer, topic, partition, "offset")
);
comment on column dead_letter.size is 'bytes of the value as it came; value keeps the first 64 KiB';
create index dead_letter_created_at on dead_letter (created_at);

create table outbox (
    id bigint generated always as identity primary key,
    message_key text not null unique,
    topic text not null,
    key bytea not null,
    value bytea not null,
    header_names text[] not null,
    header_values bytea[] not null,
    created_at timestamptz not null default now(),
    sent_at timestamptz
);
create index outbox_unsent on outbox (id) where sent_at is null;
create index outbox_sent_at on outbox (sent_at);

grant select on sink_offset, partition_tally, dead_letter to faultline_reader;
grant select, insert, update on sink_offset, partition_tally, snapshot to faultline_writer;
grant select, insert, delete, update (replayed_at) on dead_letter to faultline_writer;
grant select, insert, delete, update (sent_at) on outbox to faultline_writer;
