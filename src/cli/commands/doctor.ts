import { Option } from "commander";
import type { CommandSpec } from "../command.ts";
import { archiveOption, connectionOptions, type DoctorFlags } from "../options.ts";
import { several } from "../values.ts";

export const doctor: CommandSpec<DoctorFlags> = {
  options: {
    Service: [
      new Option("--agent <id>", "also check that this agent lists calls; repeatable").argParser(several),
      ...connectionOptions(),
    ],
    Archive: [archiveOption()],
    Output: [new Option("--json", "one JSON object per check")],
  },
  examples: [
    ["doctor", "everything a run needs"],
    ["doctor --agent AGENT", "and whether the agent had a call in the last 30 days"],
  ],
  run: async (input) => {
    const { runDoctor } = await import("../../app/doctor/doctor.ts");
    return runDoctor(input);
  },
};
