-- What a machine's nameplate and data sheets say: what wear models count by.
alter table asset add column ratings jsonb not null default '{}';
comment on column asset.ratings is 'numbers in the units of the vertical pack''s ratings, and choices, by name';

grant update (ratings) on asset to faultline_writer;
