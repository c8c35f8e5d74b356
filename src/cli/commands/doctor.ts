import { Option } from "commander";
import { SilentAgent } from "../../app/doctor/silent-agent.ts";
import type { CommandSpec } from "../command-spec.ts";
import { readingContext } from "../context.ts";
import { EXIT, type ExitCode, exitCodeOf } from "../exit-codes.ts";
import { archiveOption, connectionOptions, doctorSourceOption } from "../options.ts";
import { type DoctorFlags, eventBridgeOptions } from "../record-options.ts";
import { connectionRequest } from "../requests.ts";
import { several } from "../values.ts";

export const doctor: CommandSpec<DoctorFlags> = {
  options: {
    Service: [
      new Option("--agent <id>", "also check that this agent lists calls; repeatable").argParser(several),
      doctorSourceOption(),
      ...connectionOptions(),
    ],
    "Chats and queries": eventBridgeOptions().filter(({ long }) => long !== "--agent-name"),
    Archive: [archiveOption()],
    Output: [new Option("--json", "one JSON object per check")],
  },
  examples: [
    ["doctor", "check everything that a run needs"],
    ["doctor --source chats --source queries", "check what pulls of chats and queries need"],
    ["doctor --agent AGENT", "also check that the agent had a call in the last 30 days"],
  ],
  run: async (input) => {
    const { flags, io, logger } = input;
    const { runDoctor } = await import("../../app/doctor/doctor.ts");
    const { printable } = await import("../../core/printable.ts");
    const { paint } = await import("../terminal/format.ts");
    const { archive, agent, source, json, bus, chatsRegion, queriesRegion, eventbridgeEndpoint } = flags;
    const request = {
      ...connectionRequest(flags),
      ...{ archive, bus, chatsRegion, queriesRegion },
      ...(agent && { agents: agent }),
      ...(source && { sources: source }),
      ...(eventbridgeEndpoint !== undefined && { eventbridgeEndpoint }),
    };
    const checks = await runDoctor(request, readingContext(input), ({ check, ok, found }) => {
      const mark = paint(logger.color, ok ? "green" : "red", ok ? "ok  " : "FAIL");
      const line = `${mark}  ${check.padEnd(15)} ${indented(printable(found))}`;
      io.stdout.write(`${json ? JSON.stringify({ check, ok, found }) : line}\n`);
    });
    const failed = checks.find(({ ok }) => !ok);
    return failed ? codeOf(failed.error) : EXIT.complete;
  },
};

const indented = (text: string): string => text.replaceAll("\n", `\n${" ".repeat(22)}`);

/** A failed check is never a usage error, because the command line was right. */
const codeOf = (error: unknown): ExitCode => {
  if (error instanceof SilentAgent) return EXIT.partial;
  const code = exitCodeOf(error);
  return code === EXIT.usage ? EXIT.failure : code;
};
