-- A snapshot is written by COPY and read in pieces: as it is, since compressing one of 20 MB took half a second
-- to make it a third smaller, and a piece of a compressed value needs all that comes before it.
alter table snapshot alter column state set storage external;
grant delete on snapshot to faultline_writer;
