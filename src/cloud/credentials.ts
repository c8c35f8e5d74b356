import type { CredentialsProvider } from "@alicloud/credentials";
import { BadCredentials } from "../core/errors.ts";
import type { Env } from "../http/proxy.ts";

export interface Credential {
  accessKeyId: string;
  accessKeySecret: string;
  securityToken?: string;
  /** The source of the credential, for example `default/env`. */
  provider: string;
}

export interface Credentials {
  /** Rejects with BadCredentials. Its message never quotes a file, a key or the library's message. */
  get(): Promise<Credential>;
}

export interface CredentialsOptions {
  /** A profile of the aliyun command line (~/.aliyun/config.json) instead of the default chain. */
  profile?: string;
  /** For a key pair, and to explain what is missing: all else the library reads from the process's environment itself. */
  env: Env;
  /** Credentials to use instead of any other source. */
  fixed?: { accessKeyId: string; accessKeySecret: string; securityToken?: string };
  /** Milliseconds since 1970. @default Date.now */
  now?: () => number;
  /** Replaces the library, for tests. */
  fetchCredential?: () => Promise<Credential>;
}

/** How long a credential is reused, in milliseconds. The library refreshes temporary keys when it is called. */
const CACHE_MS = 60_000;
const CONFIG = "~/.aliyun/config.json";

const NO_CREDENTIALS = [
  "No credentials were found. Set up one of these:",
  "  - ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET (with ALIBABA_CLOUD_SECURITY_TOKEN for a temporary key)",
  `  - a profile of the aliyun command line in ${CONFIG}, chosen by --profile or ALIBABA_CLOUD_PROFILE`,
  "  - ~/.alibabacloud/credentials, or the file that ALIBABA_CLOUD_CREDENTIALS_FILE names",
  "  - an OIDC role: ALIBABA_CLOUD_ROLE_ARN, ALIBABA_CLOUD_OIDC_PROVIDER_ARN and ALIBABA_CLOUD_OIDC_TOKEN_FILE",
  "  - the RAM role of an ECS instance (ALIBABA_CLOUD_ECS_METADATA_DISABLED=true skips it)",
  "  - ALIBABA_CLOUD_CREDENTIALS_URI",
].join("\n");

/** Our message for a library error. Its own message may quote a config.json with secrets, so it is never shown. */
const configProblem = (text: string, profile: string | undefined): string | undefined => {
  if (/parse aliyun cli config from/.test(text)) return `${CONFIG} is not readable as JSON.`;
  if (/no any configured profiles in/.test(text)) return `${CONFIG} holds no profiles.`;
  if (/unsupported profile mode|invalid OAuth site type/.test(text))
    return `The profile ${profile ?? "in use"} in ${CONFIG} has a mode that is not supported.`;
  if (profile === undefined) return undefined;
  if (/reading aliyun cli config from/.test(text)) return `${CONFIG} cannot be read; --profile needs it.`;
  if (/unable to get profile with/.test(text)) return `There is no profile ${profile} in ${CONFIG}.`;
  return undefined;
};

const incompleteKeyPair = (env: Env): string | undefined => {
  const [id, secret] = ["ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET"] as const;
  if (env[id] && !env[secret]) return `${id} is set, but ${secret} is not.`;
  if (env[secret] && !env[id]) return `${secret} is set, but ${id} is not.`;
  return undefined;
};

const explain = (error: unknown, { profile, env }: CredentialsOptions): BadCredentials => {
  const text = error instanceof Error ? error.message : "";
  const problem = configProblem(text, profile ?? (env.ALIBABA_CLOUD_PROFILE || undefined));
  if (profile !== undefined)
    return new BadCredentials(
      problem ?? `The profile ${profile} in ${CONFIG} gave no credentials. It may have expired: sign in again.`,
      { code: "NoCredentials" },
    );
  const uri = env.ALIBABA_CLOUD_CREDENTIALS_URI && "The address in ALIBABA_CLOUD_CREDENTIALS_URI gave no credentials.";
  return new BadCredentials([incompleteKeyPair(env), problem, uri, NO_CREDENTIALS].filter(Boolean).join("\n"), {
    code: "NoCredentials",
  });
};

/** The key pair in the environment: what the library's chain takes first, without loading it for a tenth of a short run. */
const keyPair = (env: Env): Credential | undefined => {
  const { ALIBABA_CLOUD_ACCESS_KEY_ID: accessKeyId, ALIBABA_CLOUD_ACCESS_KEY_SECRET: accessKeySecret } = env;
  const securityToken = env.ALIBABA_CLOUD_SECURITY_TOKEN;
  if (!accessKeyId || !accessKeySecret) return undefined;
  return { accessKeyId, accessKeySecret, ...(securityToken && { securityToken }), provider: "default/env" };
};

/** The library's chain. It is built again after a failure, because it would continue with the source that failed. */
const libraryChain = (profile: string | undefined, env: Env): (() => Promise<Credential>) => {
  let provider: CredentialsProvider | undefined;
  return async () => {
    const pair = profile ? undefined : keyPair(env);
    if (pair) return pair;
    const { CLIProfileCredentialsProvider, DefaultCredentialsProvider } = await import("@alicloud/credentials");
    try {
      provider ??= profile
        ? CLIProfileCredentialsProvider.builder().withProfileName(profile).build()
        : DefaultCredentialsProvider.builder().build();
      const { accessKeyId, accessKeySecret, securityToken, providerName } = await provider.getCredentials();
      if (!accessKeyId || !accessKeySecret) throw new Error("empty");
      return { accessKeyId, accessKeySecret, ...(securityToken && { securityToken }), provider: providerName };
    } catch (error) {
      provider = undefined;
      throw error;
    }
  };
};

/**
The credentials of this run.

Only one request runs at a time, at most one a minute: the library's chain fails when its first calls are concurrent.
When a refresh fails, the last credential stays in use; the service decides whether it is still valid.
*/
export const credentials = (options: CredentialsOptions): Credentials => {
  const { fixed, profile, env, now = Date.now, fetchCredential = libraryChain(profile, env) } = options;
  if (fixed) return { get: async () => ({ ...fixed, provider: "fixed" }) };
  let current: Credential | undefined;
  let fetchedAt = 0;
  let fetching: Promise<Credential> | undefined;

  const refresh = async (): Promise<Credential> => {
    fetchedAt = now();
    try {
      current = await fetchCredential();
      return current;
    } catch (error) {
      if (current) return current;
      throw explain(error, options);
    } finally {
      fetching = undefined;
    }
  };
  return {
    get: async () => {
      if (!fetching && current && now() - fetchedAt < CACHE_MS) return current;
      fetching ??= refresh();
      return fetching;
    },
  };
};
