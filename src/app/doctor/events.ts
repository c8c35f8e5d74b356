import type { EventBridge } from "../../core/ports.ts";
import { CHAT_EVENT } from "../../sources/chat-events.ts";
import { bindingIn, bindingOf, mismatch } from "../binding.ts";
import { connectEventBridge, type EventCloud } from "../cloud.ts";
import type { AppContext } from "../context.ts";
import { existingArchive } from "../pull/fetch.ts";
import type { DoctorRequest } from "../requests.ts";
import { checkPermission, credentialsText, type Examine, reachedText, UNUSED_ID } from "./checks.ts";

type Source = "chats" | "queries";

/** What pulls of a source of EventBridge need. The checks have the source's name before their own. */
export const examineEvents = async (
  source: Source,
  request: DoctorRequest,
  context: AppContext,
  examine: Examine,
): Promise<void> => {
  const { host } = context;
  const region = source === "chats" ? request.chatsRegion : request.queriesRegion;
  const endpoint = request.eventbridgeEndpoint;
  let cloud: EventCloud | undefined;
  await examine(`${source} key`, async () => {
    cloud = await connectEventBridge(
      {
        ...{ region, regionFlag: `--${source}-region`, retries: Math.min(request.retries, 1) },
        ...(endpoint !== undefined && { endpoint }),
        ...(request.profile !== undefined && { profile: request.profile }),
        ...(request.keys && { keys: request.keys }),
        ...(request.tps !== undefined && { tps: request.tps }),
      },
      context,
    );
    return credentialsText(cloud);
  });
  if (!cloud) return;
  const { eventBridge, serverTime, endpoint: address } = cloud;
  const place = endpoint === undefined ? `region ${region}` : "set by --eventbridge-endpoint";
  await examine(`${source} host`, () => reachedText({ serverTime }), `${address.origin} (${place}): `);
  if (source === "chats") await examineTrace(eventBridge, request.bus, host.now(), examine);
  else
    await examine("queries log", () =>
      checkPermission("eventbridge:QueryAskLumaLog", () => eventBridge.queryLog({ agentName: UNUSED_ID })),
    );
  await examine(`${source} account`, async () => {
    const archive = await existingArchive(request, context);
    if (!archive) return `${request.archive}: does not exist yet; the first pull creates it`;
    const binding = await bindingOf(archive, source).finally(() => archive.close());
    const reason = mismatch(String(request.archive), binding, await bindingIn(cloud as EventCloud), source);
    if (reason !== undefined) throw new Error(reason);
    return binding.region === undefined ? `no ${source} were pulled into it yet` : "of this region and account";
  });
  await cloud.close();
};

const examineTrace = async (eventBridge: EventBridge, bus: string, now: Date, examine: Examine): Promise<void> => {
  // A bus that does not exist is an error here: nothing could be pulled from it.
  await examine("chats trace", async () => {
    const start = new Date(now.getTime() - 60_000);
    await eventBridge.tracedEvents({ bus, ...CHAT_EVENT, start, end: now });
    return `eventbridge:QueryTracedEvents is permitted, bus ${bus}`;
  });
  const { source } = CHAT_EVENT;
  await examine("chats event", () =>
    checkPermission("eventbridge:QueryEvent", () => eventBridge.event({ bus, source, id: UNUSED_ID })),
  );
};
