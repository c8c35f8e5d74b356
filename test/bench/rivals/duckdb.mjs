import { DuckDBInstance } from "@duckdb/node-api";

// The same documents, one a line, through DuckDB: all cores, no archive to unpack, nothing of what describe says, no
// order to make (the file has it already), no checks, no manifest.
// usage: duckdb.mjs DOCUMENTS OUT ndjson|csv|messages|parquet

const [documents, out, format] = process.argv.slice(2);
const quoted = (text) => `'${text.replaceAll("'", "''")}'`;

const dialog = "STRUCT(id INTEGER, begin DOUBLE, role VARCHAR, type VARCHAR, text VARCHAR)[]";
const source = `read_json(${quoted(documents)}, format = 'newline_delimited', columns = {
  instanceid: 'VARCHAR', startTime: 'DOUBLE', agentUserId: 'VARCHAR', remoteUserId: 'VARCHAR', dialog: '${dialog}'})`;
const iso = (seconds) => `strftime(make_timestamp_ms((1000 * (${seconds}))::BIGINT), '%Y-%m-%dT%H:%M:%S.%gZ')`;

const transcripts = `SELECT instanceid AS id, 'calls' AS source, ${iso("startTime")} AS "startedAt",
  {'agentUserId': agentUserId, 'remoteUserId': remoteUserId} AS participants,
  list_transform(dialog, lambda t: {'id': t.id::VARCHAR, 'role': t.role, 'kind': t.type, 'text': t.text,
    'begin': t.begin, 'at': ${iso("startTime + t.begin")}}) AS turns
  FROM ${source}`;

/** The columns of our CSV, in order; NULL where a document does not say. */
const columns = {
  call_id: "instanceid",
  turn: "turn",
  turn_id: "t.id",
  role: "t.role",
  kind: "t.type",
  begin: "t.begin",
  at: iso("startTime + t.begin"),
  text: "t.text",
  interrupted: "CASE WHEN t.role = 'agent' AND contains(t.text, '<ims_agent_interrupted>') THEN true END",
  source: "'calls'",
  agent_id: "NULL",
  session_id: "NULL",
  started_at: iso("startTime"),
  ended_at: "NULL",
  duration_seconds: "NULL",
  status: "'Finished'",
  agent_user_id: "agentUserId",
  remote_user_id: "remoteUserId",
  caller: "NULL",
  callee: "NULL",
  language: "NULL",
  tool_calls: "NULL",
  tool_call_id: "NULL",
  reasoning: "NULL",
  audio: "NULL",
  extra: "NULL",
  data: "NULL",
  revision: "NULL",
};
const turns = `SELECT ${Object.entries(columns).map(([name, value]) => `${value} AS "${name}"`)}
  FROM (SELECT *, unnest(dialog) AS t, generate_subscripts(dialog, 1) AS turn FROM ${source})`;

const messages = `SELECT list_transform(dialog, lambda t: {
  'role': CASE t.role WHEN 'agent' THEN 'assistant' ELSE t.role END, 'content': t.text}) AS messages FROM ${source}`;

const [query, options] = {
  ndjson: [transcripts, "FORMAT json"],
  csv: [turns, "FORMAT csv, HEADER"],
  messages: [messages, "FORMAT json"],
  parquet: [messages, "FORMAT parquet"],
}[format];

const instance = await DuckDBInstance.create(":memory:");
const connection = await instance.connect();
await connection.run(`COPY (${query}) TO ${quoted(out)} (${options})`);
