import { Option } from "commander";
import { qualifiedId } from "../../core/conversation-id.ts";
import { STATES, type State } from "../../core/state.ts";
import type { CommandSpec } from "../command-spec.ts";
import { readingContext } from "../context.ts";
import { EXIT } from "../exit-codes.ts";
import { archiveOption, type SelectionFlags, selectionOptions, sourceOption } from "../options.ts";
import { storedSelectionRequest } from "../requests.ts";

type ListFlags = Pick<SelectionFlags, "source" | "agent" | "since" | "until" | "tz" | "limit"> & {
  archive: string;
  state?: State;
  json?: boolean;
};

export const list: CommandSpec<ListFlags> = {
  options: {
    Selection: [
      ...selectionOptions().filter(({ long }) =>
        ["--agent", "--since", "--until", "--tz", "--limit"].includes(long ?? ""),
      ),
      sourceOption(),
      new Option("--state <state>", "only conversations in this state").choices(STATES),
    ],
    Archive: [archiveOption()],
    Output: [new Option("--json", "one JSON object per line; `export -i` reads it")],
  },
  examples: [
    ["list --since 7d", "the conversations of the last week, ordered by start time"],
    [
      "list --state failed --json > again.ndjson",
      "save the failed calls; to fetch them again: callarchive export -i again.ndjson",
    ],
  ],
  run: async (input) => {
    const { flags, io } = input;
    const { listCalls } = await import("../../app/list.ts");
    const { table } = await import("../terminal/format.ts");
    const { printer } = await import("../terminal/stdout.ts");
    const { stringify } = await import("ndjson");
    const { print, flush } = printer(io.stdout);
    const lines = stringify();
    lines.on("data", (line: string) => print(line));
    const { archive, state } = flags;
    const request = { ...storedSelectionRequest({ ...input, args: [] }), archive, ...(state && { states: [state] }) };
    for await (const batch of listCalls(request, readingContext(input))) {
      const rows = batch.map(({ source, id, state, startedAt, agentId, status, error, acknowledged }) => ({
        id: qualifiedId({ source, id }),
        source,
        state,
        ...(acknowledged && { acknowledged }),
        ...(startedAt && { startedAt }),
        ...(agentId && { agentId }),
        ...(status && { status }),
        ...(error && { code: error.code, message: error.message, at: error.at }),
      }));
      if (flags.json) for (const row of rows) lines.write(row);
      else
        print(
          `${table(rows.map((row) => [row.startedAt ?? "-".padEnd(24), stateOf(row), row.id, row.agentId ?? "-", row.message ?? ""]))}\n`,
        );
      await flush();
    }
    return EXIT.complete;
  },
};

const stateOf = ({ state, acknowledged }: { state: State; acknowledged?: true }): string =>
  acknowledged ? `${state} (acknowledged)` : state;
