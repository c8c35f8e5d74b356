import { Option } from "commander";
import type { CommandSpec } from "../command.ts";
import { archiveOption, type CloudFlags, connectionOptions } from "../options.ts";

export type DoctorFlags = Pick<CloudFlags, "region" | "endpoint" | "profile" | "client" | "retries"> & {
  archive: string;
  json?: boolean;
};

export const doctor: CommandSpec<DoctorFlags> = {
  name: "doctor",
  summary: "Check Node, credentials, network, clock and permissions, and say what to do",
  options: {
    Service: connectionOptions(),
    Archive: [archiveOption()],
    Output: [new Option("--json", "one JSON object per check")],
  },
  examples: [["doctor", "everything a run needs"]],
  run: async (input) => {
    const { runDoctor } = await import("../examination.ts");
    return runDoctor(input);
  },
};
