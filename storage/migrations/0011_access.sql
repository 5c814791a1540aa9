-- Who looks at the data with SQL of their own, as Grafana does for its viewers. Each access has a schema of views and
-- logins of its own. Their names are random: whoever may log in can read the names of all schemas and roles, and the
-- text of all views.
create table access (
    access_id text primary key check (access_id ~ '^a[0-9a-f]{15}$'),
    name text not null unique,
    kind text not null check (kind in ('customer', 'technician', 'maker')),
    created_at timestamptz not null default now(),
    suspended_at timestamptz
);

-- What an access sees: machines that any of its rows names; null is all of them.
create table access_scope (
    access_id text not null references access on delete cascade,
    tenant text references tenant,
    site text,
    equipment_type text references equipment_type,
    check (site is null or tenant is not null),
    foreign key (tenant, site) references site,
    unique nulls not distinct (access_id, tenant, site, equipment_type)
);

create view visible_asset as
    select access_id, asset.* from access, asset
    where suspended_at is null and exists (
        select from access_scope as scope
        where scope.access_id = access.access_id and (scope.tenant is null or scope.tenant = asset.tenant)
        and (scope.site is null or scope.site = asset.site)
        and (scope.equipment_type is null or scope.equipment_type = asset.equipment_type));
