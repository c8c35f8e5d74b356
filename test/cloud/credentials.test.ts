import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Credential, type CredentialsOptions, credentials } from "../../src/cloud/credentials.ts";
import { serve } from "../http/server.ts";

const SECRET = "S3CR3T0FTH3C0NF1G";
const SOURCES = [
  "ACCESS_KEY_ID",
  "ACCESS_KEY_SECRET",
  "SECURITY_TOKEN",
  "PROFILE",
  "CREDENTIALS_FILE",
  "CREDENTIALS_URI",
  "ROLE_ARN",
  "OIDC_PROVIDER_ARN",
  "OIDC_TOKEN_FILE",
  "ECS_METADATA",
];

describe("the library's chain", () => {
  let home = "";
  const printed: unknown[] = [];
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), "callarchive-home-"));
    vi.stubEnv("HOME", home);
    for (const name of SOURCES) vi.stubEnv(`ALIBABA_CLOUD_${name}`, undefined);
    // Asking for an instance role takes two seconds where there is none.
    vi.stubEnv("ALIBABA_CLOUD_ECS_METADATA_DISABLED", "true");
    printed.length = 0;
    for (const stream of [process.stdout, process.stderr])
      vi.spyOn(stream, "write").mockImplementation((text) => printed.push(text) > 0);
    expect(homedir()).toBe(home);
  });
  afterEach(() => {
    vi.restoreAllMocks();
    vi.unstubAllEnvs();
    rmSync(home, { recursive: true, force: true });
    expect(printed).toEqual([]);
  });

  const put = (name: string, content: unknown): void => {
    const file = join(home, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, typeof content === "string" ? content : JSON.stringify(content));
  };
  const config = (...profiles: object[]) => put(".aliyun/config.json", { current: "default", profiles });
  const env = (name: string, value: string) => vi.stubEnv(`ALIBABA_CLOUD_${name}`, value);
  const ask = (options: Partial<CredentialsOptions> = {}) => credentials({ env: process.env, ...options }).get();
  const refusal = async (options: Partial<CredentialsOptions> = {}): Promise<string> => {
    const error: unknown = await ask(options).catch((e: unknown) => e);
    expect(error).toMatchObject({ name: "BadCredentials", next: "stop", facts: { code: "NoCredentials" } });
    // Whatever else a printer of errors shows: stack, cause, own fields.
    expect(`${(error as Error).stack} ${JSON.stringify(error)} ${(error as Error).cause}`).not.toContain(SECRET);
    return (error as Error).message;
  };

  it("takes a key from the environment", async () => {
    env("ACCESS_KEY_ID", "id");
    env("ACCESS_KEY_SECRET", "secret");
    await expect(ask()).resolves.toEqual({ accessKeyId: "id", accessKeySecret: "secret", provider: "default/env" });
    env("SECURITY_TOKEN", "token");
    await expect(ask()).resolves.toMatchObject({ securityToken: "token" });
  });

  it("takes a key from the aliyun command line's profile, the current one or the one named", async () => {
    const profile = (name: string) => ({ name, mode: "AK", access_key_id: `${name}-id`, access_key_secret: "s" });
    config(profile("default"), profile("other"));
    await expect(ask()).resolves.toMatchObject({ accessKeyId: "default-id" });
    await expect(ask({ profile: "other" })).resolves.toMatchObject({ accessKeyId: "other-id" });
    env("ACCESS_KEY_ID", "env-id");
    env("ACCESS_KEY_SECRET", "s");
    await expect(ask({ profile: "other" })).resolves.toMatchObject({ accessKeyId: "other-id" });
  });

  it("takes a key from the shared credentials file", async () => {
    put(".alibabacloud/credentials", "[default]\ntype = access_key\naccess_key_id = ini-id\naccess_key_secret = s\n");
    await expect(ask()).resolves.toMatchObject({ accessKeyId: "ini-id" });
  });

  it("takes a temporary key from an address", async () => {
    const server = await serve((_, response) =>
      response.end(
        JSON.stringify({
          Code: "Success",
          AccessKeyId: "uri-id",
          AccessKeySecret: "s",
          SecurityToken: "t",
          Expiration: "2099-01-01T00:00:00Z",
        }),
      ),
    );
    env("CREDENTIALS_URI", server.url);
    await expect(ask()).resolves.toMatchObject({ accessKeyId: "uri-id", securityToken: "t" });
    await server.close();
  });

  it("lists every source when there are no credentials", async () => {
    const message = await refusal();
    for (const way of [
      "ALIBABA_CLOUD_ACCESS_KEY_ID",
      "--profile",
      "~/.alibabacloud/credentials",
      "OIDC",
      "ECS",
      "_URI",
    ])
      expect(message).toContain(way);
  });

  it.each([
    ["ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_ID is set, but ALIBABA_CLOUD_ACCESS_KEY_SECRET is not."],
    ["ACCESS_KEY_SECRET", "ALIBABA_CLOUD_ACCESS_KEY_SECRET is set, but ALIBABA_CLOUD_ACCESS_KEY_ID is not."],
    ["PROFILE", "~/.aliyun/config.json cannot be read"],
  ])("says what is missing when only %s is set", async (name, said) => {
    env(name, SECRET);
    const message = await ask().catch((error: Error) => error.message);
    expect(message).toContain(said);
  });

  it("never quotes a broken config.json", async () => {
    put(".aliyun/config.json", `{"profiles":[{"name":"default","mode":"AK","access_key_secret":"${SECRET}"`);
    await expect(refusal()).resolves.toContain("~/.aliyun/config.json is not readable as JSON.");
    await expect(refusal({ profile: "p" })).resolves.toBe("~/.aliyun/config.json is not readable as JSON.");
  });

  it("never quotes the answer of an address", async () => {
    const server = await serve((_, response) => response.end(`{"AccessKeySecret":"${SECRET}"}`));
    env("CREDENTIALS_URI", `${server.url}/?token=${SECRET}`);
    await expect(refusal()).resolves.toContain("The address in ALIBABA_CLOUD_CREDENTIALS_URI gave no credentials.");
    await server.close();
  });

  it("says what is wrong with the requested profile", async () => {
    await expect(refusal({ profile: "p" })).resolves.toBe("~/.aliyun/config.json cannot be read; --profile needs it.");
    config({ name: "odd", mode: "Magic" }, { name: "empty", mode: "AK", access_key_secret: SECRET });
    await expect(refusal({ profile: "p" })).resolves.toBe("There is no profile p in ~/.aliyun/config.json.");
    await expect(refusal({ profile: "odd" })).resolves.toContain("has a mode that is not supported");
    await expect(refusal({ profile: "empty" })).resolves.toContain(
      "The profile empty in ~/.aliyun/config.json gave no",
    );
    config();
    await expect(refusal({ profile: "p" })).resolves.toBe("~/.aliyun/config.json holds no profiles.");
  });

  it("finds a source that appears after a failure", async () => {
    const source = credentials({ env: process.env });
    await expect(source.get()).rejects.toMatchObject({ name: "BadCredentials" });
    env("ACCESS_KEY_ID", "late-id");
    env("ACCESS_KEY_SECRET", "s");
    await expect(source.get()).resolves.toMatchObject({ accessKeyId: "late-id" });
  });
});

describe("the cache", () => {
  const key = (accessKeyId: string): Credential => ({ accessKeyId, accessKeySecret: "s", provider: "test" });

  it("asks once for many callers, and again after a minute", async () => {
    let [time, asked] = [0, 0];
    const source = credentials({ env: {}, now: () => time, fetchCredential: async () => key(`k${asked++}`) });
    const ids = async () =>
      new Set((await Promise.all(Array.from({ length: 8 }, source.get))).map((k) => k.accessKeyId));
    expect(await ids()).toEqual(new Set(["k0"]));
    time = 59_999;
    expect(await ids()).toEqual(new Set(["k0"]));
    time = 60_000;
    expect(await ids()).toEqual(new Set(["k1"]));
    expect(asked).toBe(2);
  });

  it("keeps its keys when a refresh fails, and tries again a minute later", async () => {
    let [time, asked] = [0, 0];
    const ask = async () => {
      if (++asked === 2) throw new Error("STS is away");
      return key(`k${asked}`);
    };
    const source = credentials({ env: {}, now: () => time, fetchCredential: ask });
    const seen = [];
    for (time of [0, 60_000, 90_000, 120_000]) seen.push((await source.get()).accessKeyId);
    expect(seen).toEqual(["k1", "k1", "k1", "k3"]);
  });

  it("uses fixed keys without a request", async () => {
    const fixed = { accessKeyId: "a", accessKeySecret: "b" };
    await expect(credentials({ env: {}, fixed }).get()).resolves.toEqual({ ...fixed, provider: "fixed" });
  });
});
