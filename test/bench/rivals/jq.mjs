// The same results with jq: programs for `jq -c` and, for csv, `jq -r`.

const iso = (seconds) =>
  `(${seconds} | (floor | strftime("%Y-%m-%dT%H:%M:%S")) + "." + (("00" + ((. - floor) * 1000 | floor | tostring))[-3:]) + "Z")`;

const turn = `{id: (.id | tostring), role, kind: .type, text, begin, at: ${iso("$start + .begin")}}`;

export const jqPrograms = {
  ndjson: `.startTime as $start | {id: .instanceid, source: "calls", startedAt: ${iso("$start")},
    participants: {agentUserId, remoteUserId}, turns: [.dialog[] | ${turn}]}`,
  csv: `. as $call | .startTime as $start | .dialog | to_entries[] | .key as $turn | .value |
    [$call.instanceid, $turn + 1, .id, .role, .type, .begin, ${iso("$start + .begin")}, .text, ${iso("$start")},
     $call.agentUserId, $call.remoteUserId] | @csv`,
  messages: `{messages: [.dialog[] | {role: (if .role == "agent" then "assistant" else .role end), content: .text}]}`,
};
