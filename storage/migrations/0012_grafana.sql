-- What of Grafana is ours: an organisation for an access, and in it each thing with what was asked for and what Grafana
-- then had. Whatever is not here is somebody else's and never touched.
alter table access add column language text not null default 'en' check (language in ('en', 'zh'));

create table grafana_organization (
    access_id text primary key references access,
    number int
);
comment on column grafana_organization.number is 'null: asked for, and nobody knows yet whether it is there';

create table grafana_object (
    access_id text not null references grafana_organization on delete cascade,
    kind text not null,
    uid text not null,
    wanted_sha256 text,
    live_sha256 text,
    pushed_at timestamptz not null default now(),
    primary key (access_id, kind, uid)
);
comment on column grafana_object.live_sha256 is 'null: sent, and nobody knows yet whether it arrived';

-- What was there before each change, so that a run can be taken back.
create table grafana_change (
    id bigint generated always as identity primary key,
    run uuid not null,
    access_id text not null references grafana_organization on delete cascade,
    kind text not null,
    uid text not null,
    before jsonb,
    made_at timestamptz not null default now()
);
create index grafana_change_access on grafana_change (access_id, id);
