-- Keys of programs. Only the hash of the secret is kept; 256 random bits need no slow hash.
create table api_key (
    key_id text primary key,
    tenant text not null references tenant,
    secret_hash bytea not null,
    scopes text[] not null,
    created_at timestamptz not null default now(),
    expires_at timestamptz,
    revoked_at timestamptz
);
grant select, insert, update (revoked_at) on api_key to faultline_writer;
