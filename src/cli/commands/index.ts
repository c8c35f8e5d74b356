import type { CommandSpec } from "../command.ts";
import { check } from "./check.ts";
import { completion } from "./completion.ts";
import { config } from "./config.ts";
import { dataset } from "./dataset.ts";
import { demo } from "./demo.ts";
import { doctor } from "./doctor.ts";
import { emulate } from "./emulate.ts";
import { exportCommand } from "./export.ts";
import { forget } from "./forget.ts";
import { list } from "./list.ts";
import { prune } from "./prune.ts";
import { pullCommand } from "./pull.ts";
import { show } from "./show.ts";
import { status } from "./status.ts";
import { verify } from "./verify.ts";

/** Every command, in the order of the help. What a command works with is loaded when it runs, not here. */
export const commands: readonly CommandSpec<never>[] = [
  exportCommand,
  pullCommand,
  dataset,
  list,
  show,
  status,
  verify,
  prune,
  forget,
  check,
  doctor,
  emulate,
  demo,
  config,
  completion,
];
