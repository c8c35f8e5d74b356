/**
The archive's shape, one step a version; the version is the number of steps taken.

Never edit a step that was released: add one. Times are whole milliseconds since 1970, but for those of runs and locks,
which are few and read by people.
*/
export const migrations: readonly string[] = [
  `
  create table agents (
    agent integer primary key,
    agent_id text not null unique
  );

  create table items (
    -- Never given twice: an item may be united with another while a run holds its number.
    item integer primary key autoincrement,
    source text not null default 'calls',
    -- The instance id in lower case (the service is not consistent in its case), or until it is known a name made of
    -- the link's address.
    key text not null unique,
    -- Whether the key is the instance id; its own spelling only where that is another.
    named integer not null default 0,
    instance_id text,
    -- Origin and path of the document's link; never its query, which is a secret. Empty: as the stored answer of the
    -- service has it.
    link text,
    agent integer,
    state text not null,
    status text,
    started_at integer,
    -- The stretch of time that it was listed in.
    window_start integer,
    window_end integer,
    seen_at integer not null,
    -- Whether the service was asked for all it knows of the call.
    described integer not null default 0,
    sha256 blob,
    -- Of the document, and of what the service said about the call.
    bytes integer,
    said integer,
    -- The block that holds both.
    block integer,
    attempts integer not null default 0,
    error_code text,
    error_message text,
    error_request_id text,
    error_status integer,
    error_at text
  );
  -- Everything that leaves the archive is ordered by start, then key; what has no start comes last.
  create index items_order on items (started_at) where started_at is not null;
  create index items_unstarted on items (key) where started_at is null;
  create index items_agent on items (agent, started_at);
  -- Few, in an archive that is in order.
  create index items_unsettled on items (state, agent) where state <> 'fetched';

  -- Every address that led to an item, as the first half of its SHA-256: a call may be listed under more than one.
  create table links (
    link blob primary key,
    item integer not null,
    -- Not the address that the item began with.
    more integer not null default 0
  ) without rowid;
  create index links_more on links (item) where more = 1;

  -- Documents, each with what the service said about the call, many to a block: alone they compress badly. A block is
  -- never changed: one that loses a member is replaced, and no number is given twice.
  create table blocks (
    block integer primary key autoincrement,
    codec text not null,
    -- As a commit left it; a later run of work makes few large ones of many such.
    loose integer not null,
    -- Bytes of its documents, of all of it, and as stored.
    raw integer not null,
    size integer not null,
    stored integer not null,
    body blob not null
  );
  -- So that sums never walk over bytes.
  create index blocks_sizes on blocks (loose, size, raw, stored);

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
  -- From one item to another, both included: an export mostly takes all there are.
  create table deliveries (
    destination integer not null references destinations (destination),
    first integer not null,
    last integer not null,
    part integer not null,
    primary key (destination, first, part)
  ) without rowid;
  `,
  `
  -- What is known of the archive itself, by name: its own random id, the region and the account that it serves, work
  -- that has to be finished.
  create table facts (
    name text primary key,
    value text not null
  ) without rowid;
  insert into facts (name, value) values ('id', lower(hex(randomblob(16))));

  -- Trouble that a finished run has reported, in the state in which it was; and trouble that a person has settled.
  create table reported (
    item integer primary key,
    state text not null,
    code text,
    acknowledged integer not null default 0
  );

  -- Where process ids mean something: the boot of the machine and its namespace of process ids.
  alter table lock add column process_space text;
  -- When the process began, as its system counts: another process may have got its id since.
  alter table lock add column process_started text;

  -- The instance id that a document carries, as it is written there, where another document has it: such an item is
  -- known by its link, and invalid with code SameId.
  alter table items add column same_id text;
  create index items_same_id on items (same_id) where same_id is not null;

  -- Stand-in ids that were taken for instance ids: the link that they stand for leads to them.
  update items indexed by items_unsettled set named = 0
  where state <> 'fetched' and named = 1 and length(key) = 37 and key glob 'link-*' and substr(key, 6) not glob '*[^0-9a-f]*';
  insert into links (link, item)
  select unhex(substr(key, 6)), item from items indexed by items_unsettled
  where state <> 'fetched' and named = 0 and length(key) = 37 and key glob 'link-*'
    and substr(key, 6) not glob '*[^0-9a-f]*'
  on conflict do nothing;

  -- A hash of the archive's id, the part's number and its files; null of parts from before there was one.
  alter table parts add column token text;
  `,
  `
  -- Conversations of many records: a chat session has one for each of its events, say. A call's log is still with the
  -- call itself, in items.
  create table records (
    -- Its data is in a block as the member with the negative of this number. Never given twice.
    record integer primary key autoincrement,
    source text not null,
    id text not null,
    -- The conversation.
    item integer not null,
    -- The record's own time, and when it came.
    at integer,
    arrived integer not null,
    -- Whether the service will not change it any more.
    final integer not null,
    -- Another record has the same id and other content, and was chosen.
    set_aside integer not null default 0,
    -- Of its canonical JSON.
    sha256 blob not null,
    bytes integer not null,
    block integer
  );
  create unique index records_identity on records (source, id, sha256);
  create index records_item on records (item);
  create index records_set_aside on records (item) where set_aside = 1;

  -- The time of a conversation's last record, where it has records; a time in the future counts as that of its arrival.
  alter table items add column last_at integer;
  create index items_last on items (last_at) where last_at is not null;
  create index items_source on items (source) where source <> 'calls';
  -- The key is the conversation's name as it is read and printed: bare for calls, else with its source. A call whose own
  -- id looks like one with a source is written with its source, too.
  update items set instance_id = coalesce(instance_id, key), key = 'calls:' || key
  where key glob '[a-z]*:*' and substr(key, 1, instr(key, ':') - 1) not glob '*[^a-z]*' and named = 1;

  -- Changes of conversations that some destination had received, and the digest of the transcript before each.
  create table changes (
    change integer primary key autoincrement,
    item integer not null,
    before blob not null
  );
  create index changes_item on changes (item, change);
  -- The last change that a part knew of.
  alter table parts add column change integer not null default 0;
  -- Conversations that a destination received again, because they had changed.
  create table revisions (
    destination integer not null references destinations (destination),
    item integer not null,
    revision integer not null,
    part integer not null,
    primary key (destination, item, revision)
  ) without rowid;
  `,
  `
  -- Calls of which there are other records have a time of their last record, too: so the state is in the index.
  drop index items_last;
  create index items_last on items (last_at, state) where last_at is not null;
  -- Bytes of a call's records besides its log, for bounds of memory.
  alter table items add column further integer;

  -- Files that lie beside the archive, named by their SHA-256: the audio of sentences and calls, recordings.
  create table media (
    -- Never given twice: a download may hold the number of a file that is deleted meanwhile.
    media integer primary key autoincrement,
    kind text not null,
    -- Its address without user, query and fragment.
    place text not null,
    -- The conversation; null until it is known.
    item integer,
    -- The record that names it; empty where none does.
    source text not null default '',
    record text not null default '',
    -- The place of the playlist that names it.
    playlist text,
    -- Of a recording: what was recorded, and when.
    channel text,
    at integer,
    state text not null default 'pending',
    sha256 blob,
    bytes integer,
    type text,
    seconds real,
    attempts integer not null default 0,
    error_code text,
    error_message text,
    error_at text,
    unique (place, source, record)
  );
  create index media_item on media (item) where item is not null;
  create index media_unsettled on media (state, kind, at) where state <> 'stored';
  create index media_stored on media (kind, bytes) where state = 'stored';
  create index media_sha256 on media (sha256) where sha256 is not null;
  -- Files to be deleted, because no conversation has them any more.
  create table discarded (
    sha256 blob primary key,
    type text
  ) without rowid;

  -- Dialogues that were said in a call belong to it. Until the call is known, they are with the rest of their session.
  alter table records add column in_call integer not null default 0;
  -- The calls of each session, as the first 16 bytes of its SHA-256; the row of a deleted call stays. Filled when the
  -- first dialogues are read (the fact "sessions"), because most archives never need it.
  create table call_sessions (
    session blob not null,
    item integer not null,
    started_at integer not null,
    ended_at integer not null,
    primary key (session, item)
  ) without rowid;
  -- When the dialogues of a session were last listed to their end.
  create table listed_sessions (
    session blob primary key,
    listed_at integer not null
  ) without rowid;
  `,
];
