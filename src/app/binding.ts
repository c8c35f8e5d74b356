import type { Facts } from "../core/archive.ts";
import { UsageError } from "../core/errors.ts";
import type { Ims } from "../core/ports.ts";
import type { Cloud } from "./cloud.ts";

/** The region (its endpoint's host) and account whose calls an archive holds, as far as they are known. */
export interface ArchiveBinding {
  region?: string;
  account?: string;
}

interface BindingRequest {
  archive: string | false;
  allowOther?: boolean;
}

export const bindingOf = async (archive: Pick<Facts, "fact">): Promise<ArchiveBinding> => {
  const region = await archive.fact("region");
  const account = await archive.fact("account");
  return { ...(region !== undefined && { region }), ...(account !== undefined && { account }) };
};

/** The region and account of this run; without the account if it could not be found out in time. */
export const bindingIn = async (cloud: Pick<Cloud, "place" | "account">): Promise<ArchiveBinding> => {
  const account = await cloud.account();
  return { region: cloud.place, ...(account !== undefined && { account }) };
};

/** Why an archive must not get calls of `here`; undefined if it may. */
export const mismatch = (name: string, archive: ArchiveBinding, here: ArchiveBinding): string | undefined => {
  if (archive.region !== undefined && here.region !== undefined && archive.region !== here.region)
    return `${name} holds calls of ${placeName(archive.region)}; this run uses ${placeName(here.region)}. An archive holds calls of one region: correct --region or --endpoint, or name another archive with --archive.`;
  if (archive.account !== undefined && here.account !== undefined && archive.account !== here.account)
    return `${name} holds calls of account ${archive.account}; the credentials in use belong to account ${here.account}. An archive holds calls of one account: use that account's credentials (--profile), or name another archive with --archive.`;
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
): Promise<Ims> => {
  if (request.archive === false) return cloud.ims;
  const before = await bindingOf(archive);
  const elsewhere = mismatch(request.archive, before, { region: cloud.place });
  // The account is looked up only if the region is right.
  const here = elsewhere === undefined ? await bindingIn(cloud) : {};
  const reason = elsewhere ?? mismatch(request.archive, before, here);
  if (reason !== undefined && !request.allowOther)
    throw new UsageError(`${reason} Use --allow-other to continue anyway.`);
  if (reason !== undefined) return cloud.ims;
  const missing = (["region", "account"] as const).filter((name) => before[name] === undefined && here[name]);
  if (missing.length === 0) return cloud.ims;
  return onFirstAnswer(cloud.ims, async () => {
    for (const name of missing) await archive.setFact(name, here[name]);
  });
};

/** Calls `onAnswer` at the first success. A "not found" does not count, because it may come from the wrong region. */
const onFirstAnswer = ({ describeInstance, listInstances }: Ims, onAnswer: () => Promise<void>): Ims => {
  let recording: Promise<void> | undefined;
  const record = async <T>(answer: T): Promise<T> => {
    recording ??= onAnswer();
    await recording;
    return answer;
  };
  return {
    describeInstance: async (id, signal) => record(await describeInstance(id, signal)),
    listInstances: async (query, signal) => record(await listInstances(query, signal)),
  };
};
