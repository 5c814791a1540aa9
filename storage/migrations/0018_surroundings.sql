-- A fit of what surroundings explain has a role of its own: workers take that out of rows before they judge them.
alter table model_role
    drop constraint model_use_role_check,
    add constraint model_role_role_check check (role in ('champion', 'challenger', 'prior', 'surroundings'));
