-- Where a site is, for maps.
alter table site
    add latitude double precision check (latitude between -90 and 90),
    add longitude double precision check (longitude between -180 and 180),
    add check ((latitude is null) = (longitude is null));
comment on column site.latitude is 'degrees north, WGS 84; longitude: degrees east';

grant update (latitude, longitude) on site to faultline_writer;
