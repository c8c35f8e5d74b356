import { Option } from "commander";
import type { CommandSpec } from "../command.ts";
import { archiveOption, connectionOptions, type DoctorFlags } from "../options.ts";

export const doctor: CommandSpec<DoctorFlags> = {
  options: {
    Service: connectionOptions(),
    Archive: [archiveOption()],
    Output: [new Option("--json", "one JSON object per check")],
  },
  examples: [["doctor", "everything a run needs"]],
  run: async (input) => {
    const { runDoctor } = await import("../jobs/examination.ts");
    return runDoctor(input);
  },
};
