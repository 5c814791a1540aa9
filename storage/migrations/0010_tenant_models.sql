-- A model belongs to one tenant, whose machines alone it was fitted on, or (null) to all of an equipment type. `scope`
-- is what a key can hold of that: nobody can give a tenant's model a role for others, or the other way round.
alter table model
    add tenant text references tenant,
    add scope text not null generated always as (coalesce(tenant, '')) stored,
    add unique (equipment_type, forecaster, version, scope);

alter table model_use rename to model_role;
alter table model_role
    add tenant text references tenant,
    add scope text not null generated always as (coalesce(tenant, '')) stored,
    add foreign key (equipment_type, forecaster, version, scope)
        references model (equipment_type, forecaster, version, scope);
drop index model_use_newest;
create index model_role_newest on model_role (equipment_type, scope, role, model_use_id desc);

-- What a worker of an earlier release sees, so that a tenant's model does not answer for all there.
create view model_use as
select model_use_id, equipment_type, role, forecaster, version, reason, since from model_role where tenant is null;

-- Forecasts are kept as long as health is.
create index forecast_ts on forecast using brin (ts) with (autosummarize = on);
create index shadow_forecast_ts on shadow_forecast using brin (ts) with (autosummarize = on);

grant select (tenant) on model to faultline_reader;
grant select on model_use to faultline_reader;
grant select, insert on model_use to faultline_writer;
grant delete on forecast, shadow_forecast to faultline_writer;
