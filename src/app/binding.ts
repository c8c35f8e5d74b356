import type { FactName, Facts } from "../core/archive.ts";
import { UsageError } from "../core/errors.ts";
import type { EventBridge, Ims } from "../core/ports.ts";
import type { SourceName } from "../core/transcript.ts";
import type { Cloud, Connection, EventCloud } from "./cloud.ts";

/** The region (its endpoint's host) and account whose conversations of one source an archive holds, as far as known. */
export interface ArchiveBinding {
  region?: string;
  account?: string;
}

interface BindingRequest {
  archive: string | false;
  allowOther?: boolean;
}

/** Calls came first, so their facts have no source in their names. */
const factName = (fact: "region" | "account", source: SourceName): Exclude<FactName, "id"> =>
  source === "calls" ? fact : `${fact}:${source}`;

/** @param source @default calls */
export const bindingOf = async (
  archive: Pick<Facts, "fact">,
  source: SourceName = "calls",
): Promise<ArchiveBinding> => {
  const region = await archive.fact(factName("region", source));
  const account = await archive.fact(factName("account", source));
  return { ...(region !== undefined && { region }), ...(account !== undefined && { account }) };
};

/** The region and account of this run; without the account if it could not be found out in time. */
export const bindingIn = async (connection: Pick<Connection, "place" | "account">): Promise<ArchiveBinding> => {
  const account = await connection.account();
  return { region: connection.place, ...(account !== undefined && { account }) };
};

/** The flags that set where the conversations of a source come from. */
const addressFlags = (source: SourceName): string =>
  source === "calls" ? "--region or --endpoint" : `--${source}-region or --eventbridge-endpoint`;

/** Why an archive must not get conversations of `here`; undefined if it may. @param source @default calls */
export const mismatch = (
  name: string,
  archive: ArchiveBinding,
  here: ArchiveBinding,
  source: SourceName = "calls",
): string | undefined => {
  if (archive.region !== undefined && here.region !== undefined && archive.region !== here.region)
    return `${name} holds ${source} of ${placeName(archive.region)}; this run uses ${placeName(here.region)}. An archive holds ${source} of one region: correct ${addressFlags(source)}, or name another archive with --archive.`;
  if (archive.account !== undefined && here.account !== undefined && archive.account !== here.account)
    return `${name} holds ${source} of account ${archive.account}; the credentials in use belong to account ${here.account}. An archive holds ${source} of one account: use that account's credentials (--profile), or name another archive with --archive.`;
  return undefined;
};

export const placeName = (region: string): string => (region === "loopback" ? "an emulator on this machine" : region);

/** Region and account as text for people. */
export const bindingName = ({ region, account }: ArchiveBinding): string =>
  [region && placeName(region), account && `account ${account}`].filter(Boolean).join(", ");

/**
Refuses to mix regions or accounts in one archive, before anything is fetched.

@returns a client that records region and account in the archive at its first answer, if they were not known
@throws UsageError
*/
export const bindArchive = async (
  archive: Facts,
  cloud: Pick<Cloud, "ims" | "place" | "account">,
  request: BindingRequest,
): Promise<Ims> => bound(cloud.ims, archive, cloud, request, "calls");

/** As `bindArchive`, for a source of EventBridge. @throws UsageError */
export const bindEvents = async (
  archive: Facts,
  cloud: Pick<EventCloud, "eventBridge" | "place" | "account">,
  request: BindingRequest,
  source: "chats" | "queries",
): Promise<EventBridge> => bound(cloud.eventBridge, archive, cloud, request, source);

const bound = async <Client extends object>(
  client: Client,
  archive: Facts,
  connection: Pick<Connection, "place" | "account">,
  request: BindingRequest,
  source: SourceName,
): Promise<Client> => {
  if (request.archive === false) return client;
  const before = await bindingOf(archive, source);
  const elsewhere = mismatch(request.archive, before, { region: connection.place }, source);
  // The account is looked up only if the region is right.
  const here = elsewhere === undefined ? await bindingIn(connection) : {};
  const reason = elsewhere ?? mismatch(request.archive, before, here, source);
  if (reason !== undefined && !request.allowOther)
    throw new UsageError(`${reason} Use --allow-other to continue anyway.`);
  if (reason !== undefined) return client;
  const missing = (["region", "account"] as const).filter((name) => before[name] === undefined && here[name]);
  if (missing.length === 0) return client;
  return onFirstAnswer(client, async () => {
    for (const name of missing) await archive.setFact(factName(name, source), here[name]);
  });
};

/** Calls `onAnswer` at the first success. A "not found" does not count, because it may come from the wrong region. */
const onFirstAnswer = <Client extends object>(client: Client, onAnswer: () => Promise<void>): Client => {
  let recording: Promise<void> | undefined;
  const methods = Object.entries(client) as [string, (...values: unknown[]) => Promise<unknown>][];
  const watched = methods.map(([name, call]) => [
    name,
    async (...values: unknown[]): Promise<unknown> => {
      const answer = await call(...values);
      recording ??= onAnswer();
      await recording;
      return answer;
    },
  ]);
  return Object.fromEntries(watched) as Client;
};
