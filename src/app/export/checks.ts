import type { Facts } from "../../core/archive.ts";
import type { Adoption, Deliveries } from "../../core/deliveries.ts";
import { UsageError } from "../../core/errors.ts";
import { writers } from "../../writers/index.ts";
import type { AppContext, Host } from "../context.ts";
import { knownBy } from "../pull/fetch.ts";
import { checkRedactCommand, redactionOf } from "../redaction.ts";
import type { ExportRequest } from "../requests.ts";
import { type Selection, selectionOf } from "../selection/selection.ts";
import { checkPlace } from "./continuation.ts";
import { checkEnding } from "./endings.ts";
import { checkApart, type Target, targetOf } from "./outputs.ts";
import { checkReplaceable } from "./replacement.ts";

/** Everything about a request that can be checked before any work. @throws UsageError */
export const checkedExport = async (
  request: ExportRequest,
  context: AppContext,
): Promise<{ target: Target; selection: Selection | undefined }> => {
  const { host } = context;
  if (request.archive === false && request.offline)
    throw new UsageError("--offline reads the archive: it does not go with --no-archive.");
  if (request.archive === false && request.new)
    throw new UsageError("--new needs an archive to remember what the output has had.");
  if (request.adopt && !request.new)
    throw new UsageError("--adopt goes with --new: without it an export replaces what is there.");
  const target = targetOf(request, host);
  checkApart(request, target, host);
  checkEnding(request, target);
  await checkReplaceable(target, request, host);
  const selection = request.offline ? undefined : await selectionOf(request, context, knownBy(request, context));
  return { target, selection };
};

/** Before anything is fetched: what cannot be delivered afterwards need not be. */
export const checkContinuable = async (
  archive: Deliveries & Adoption & Facts,
  target: Target,
  request: ExportRequest,
): Promise<void> => {
  if (!request.new || target.kind === "stream") return;
  await checkPlace({ archive, target, id: (await archive.fact("id")) ?? "", adopt: request.adopt === true });
};

/** @throws UsageError for a format that cannot be redacted, and a command that cannot be found */
export const checkRedactable = async (request: ExportRequest, { formats }: Target, host: Host): Promise<void> => {
  if (!(await redactionOf(request))) return;
  const raw = formats.find((format) => !writers[format].redactable);
  if (raw !== undefined)
    throw new UsageError(`${raw} is the service's own documents, byte for byte: it does not go with --redact.`);
  await checkRedactCommand(request, host);
};
