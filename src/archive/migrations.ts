/**
The archive's shape, one step a version; the version is the number of steps taken.

Never edit a step that was released: add one.
*/
export const migrations: readonly string[] = [
  `
  create table items (
    item integer primary key,
    source text not null default 'calls',
    -- The instance id in lower case (the service is not consistent in its case), or until it is known a name made of
    -- the link's address.
    key text not null unique,
    instance_id text,
    -- Origin and path of the document's link; never its query, which is a secret.
    link text unique,
    agent_id text,
    state text not null,
    status text,
    started_at text,
    meta text,
    sha256 text,
    bytes integer,
    error_code text,
    error_message text,
    error_request_id text,
    error_status integer,
    error_at text
  );
  create index items_order on items (started_at, key);
  create index items_agent on items (agent_id, started_at);
  create index items_state on items (state);

  -- Apart from items, so that counting and listing never walk over bytes.
  create table documents (
    item integer primary key references items (item) on delete cascade,
    codec text not null,
    body blob not null
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
  `,
];
