-- What each meter of a machine went on by on each day (UTC): what boards and contracts add up, instead of hours.
create table usage_day (
    asset_id int not null references asset,
    day date not null,
    channel text not null,
    unit text not null,
    used double precision not null,
    readings int not null,
    primary key (asset_id, day, channel)
);
comment on table usage_day is 'kept with the hours of the day, so it counts once the day is over';
comment on column usage_day.readings is 'hours in which the meter was read';

grant select on usage_day to faultline_reader;
grant select, insert, update, delete on usage_day to faultline_writer;

-- Days whose hours were written and that are not added up yet; the rollup's job takes them away. Noted by the
-- database, so that a worker of the release before may go on rolling hours up.
create table usage_due (
    asset_id int not null references asset,
    day date not null,
    primary key (asset_id, day)
);
insert into usage_due select distinct asset_id, (ts at time zone 'UTC')::date from rollup_hour;

create function note_usage_day() returns trigger
language plpgsql set search_path = faultline, pg_temp as $$
begin
    insert into usage_due select distinct asset_id, (ts at time zone 'UTC')::date from written on conflict do nothing;
    return null;
end $$;
revoke execute on function note_usage_day from public;
create trigger usage_day_of_new_hours after insert on rollup_hour referencing new table as written
    for each statement execute function note_usage_day();
create trigger usage_day_of_hours after update on rollup_hour referencing new table as written
    for each statement execute function note_usage_day();

grant select, insert, delete on usage_due to faultline_writer;
