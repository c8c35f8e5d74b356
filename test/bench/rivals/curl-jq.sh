#!/bin/sh
# What one does at a shell: describe all with curl, take the links out with jq, fetch all with curl, one line each with jq.
# curl cannot sign these requests; the server does not ask for it.
# usage: curl-jq.sh ORIGIN IDS FOLDER PARALLEL
set -eu
mkdir -p "$3/described" "$3/logs"
cd "$3"
sed "s#.*#url = \"$1/?InstanceId=&\"\noutput = \"described/&\"\nrequest = POST#" "$2" >describe.cfg
curl -sZ --parallel-max "$4" -K describe.cfg
find described -type f -exec cat {} + |
  jq -r '.Instance.CallLogUrl | "url = \"\(.)\"\noutput = \"logs/\(split("?")[0] | split("/")[-1])\""' >logs.cfg
curl -sZ --parallel-max "$4" -K logs.cfg
find logs -type f -exec cat {} + |
  jq -c '{id: .instanceid, startTime, agentUserId, remoteUserId, turns: .dialog}' >transcripts.ndjson
