-- Eight bytes of every row said that no value is bad: now that is null, and older rows keep their 0.
alter table telemetry alter column bad drop not null;
comment on column telemetry.bad is
    'bit k set: the value in column vk is not to be trusted; null, in older rows 0: all of them are';
