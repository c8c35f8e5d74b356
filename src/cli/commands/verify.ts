import { Option } from "commander";
import type { VerifyRequest } from "../../app/requests.ts";
import type { CommandSpec } from "../command-spec.ts";
import { readingContext } from "../context.ts";
import { EXIT } from "../exit-codes.ts";
import {
  allowEmptyOption,
  allowOtherOption,
  archiveOption,
  connectionOptions,
  selectionOptions,
  sourceOption,
  type VerifyFlags,
} from "../options.ts";
import { connectionRequest, selectionRequest, storedSelectionRequest } from "../requests.ts";

const RANGE = ["--agent", "--since", "--until", "--tz"];

export const verify: CommandSpec<VerifyFlags> = {
  description: `Checks the database, every document's SHA-256 and the ledger. An output is a folder with a manifest.json, or a file
with FILE.manifest.json beside it. Exit 3 if there is any finding. With --source, only documents of these sources are
checked; the database is always checked as a whole.

With --remote, calls are compared up to the cursor of the agent, because later calls need not be in the archive yet.
--until sets another end.`,
  options: {
    "Against the cloud": [
      new Option(
        "--remote",
        "list the calls in the cloud again, and report calls that only the cloud or only the archive has",
      ),
      ...selectionOptions().filter(({ long }) => RANGE.includes(long ?? "")),
      allowEmptyOption(),
      ...connectionOptions(),
      allowOtherOption(),
    ],
    Archive: [archiveOption(), sourceOption()],
    Output: [new Option("--json", "one JSON object per finding")],
  },
  examples: [
    ["verify", "check the archive"],
    ["verify week/ calls.csv", "also check two outputs"],
    ["verify --remote --agent AGENT --since 30d", "also compare the last 30 days with what the service lists"],
  ],
  run: async (input) => {
    const { args, flags, given, io, logger } = input;
    const { runVerify } = await import("../../app/verify/verify.ts");
    const { oneLine } = await import("../../core/printable.ts");
    const { plural } = await import("../../core/wording.ts");
    const { remote, allowEmpty, allowOther, archive } = flags;
    const request: VerifyRequest = {
      ...(remote ? selectionRequest({ ...input, args: [] }) : storedSelectionRequest({ ...input, args: [] })),
      ...connectionRequest(flags),
      archive,
      archiveNamed: given.has("archive"),
      outputs: args,
      ...(remote && { remote }),
      ...(allowEmpty && { allowEmpty }),
      ...(allowOther && { allowOther }),
    };
    const findings = await runVerify(request, readingContext(input), (finding) => {
      const { where, what } = finding;
      io.stdout.write(`${flags.json ? JSON.stringify(finding) : oneLine(`${where}: ${what}`)}\n`);
    });
    const exitCode = findings === 0 ? EXIT.complete : EXIT.partial;
    if (findings === 0) logger.message("Nothing is wrong.", "green");
    else logger.message(`${plural(findings, "finding")}.`, "red");
    logger.record("summary", { findings, exitCode });
    return exitCode;
  },
};
