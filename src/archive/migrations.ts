/**
The archive's shape, one step a version; the version is the number of steps taken.

Never edit a step that was released: add one.
*/
export const migrations: readonly string[] = [
  `
  create table items (
    -- Never given twice: an item may be united with another while a run holds its number.
    item integer primary key autoincrement,
    source text not null default 'calls',
    -- The instance id in lower case (the service is not consistent in its case), or until it is known a name made of
    -- the link's address.
    key text not null unique,
    instance_id text,
    -- Origin and path of the document's link; never its query, which is a secret.
    link text,
    agent_id text,
    state text not null,
    status text,
    started_at text,
    -- The stretch of time that it was listed in.
    window_start text,
    window_end text,
    seen_at text not null,
    -- Whether the service was asked for all it knows of the call.
    described integer not null default 0,
    sha256 text,
    bytes integer,
    attempts integer not null default 0,
    error_code text,
    error_message text,
    error_request_id text,
    error_status integer,
    error_at text
  );
  create index items_order on items (started_at is null, started_at, key);
  create index items_agent on items (agent_id, started_at);
  create index items_state on items (state);

  -- Every address that led to an item: a call may be listed under more than one.
  create table links (
    link text primary key,
    item integer not null references items (item) on delete cascade
  ) without rowid;
  create index links_item on links (item);

  -- Apart from items, so that counting and listing never walk over bytes.
  create table documents (
    item integer primary key references items (item) on delete cascade,
    codec text not null,
    body blob not null,
    meta blob
  );

  create table runs (
    run integer primary key,
    command text not null,
    version text not null,
    started_at text not null,
    ended_at text,
    exit_code integer,
    detail text
  );

  -- Up to where every call of a stream of them is settled.
  create table cursors (
    name text primary key,
    settled_until text not null
  );

  -- At most one row: the run that may write.
  create table lock (
    one integer primary key check (one = 1),
    token text not null,
    pid integer not null,
    host text not null,
    started_at text not null,
    expires_at text not null
  );

  create table destinations (
    destination integer primary key,
    place text not null,
    format text not null,
    unique (place, format)
  );
  create table parts (
    destination integer not null references destinations (destination),
    part integer not null,
    prepared integer not null,
    primary key (destination, part)
  ) without rowid;
  create table deliveries (
    destination integer not null references destinations (destination),
    item integer not null,
    part integer not null,
    primary key (destination, item)
  ) without rowid;
  create index deliveries_item on deliveries (item);
  `,
];
