import type { Command } from "commander";
import type { Io } from "../io.ts";
import { flagsOf, variableOf } from "./flags.ts";
import type { Entry, Problem, Settings } from "./text.ts";

/** The name in `names` that is most like `name`, without regard to case and hyphens; undefined if none is similar. */
export const closest = (name: string, names: Iterable<string>): string | undefined => {
  const plain = (text: string): string => text.toLowerCase().replace(/[-_ ]/g, "");
  const meant = plain(name.slice(0, 64));
  const near = [...new Set(names)]
    .map((each) => ({ each, steps: distance(meant, plain(each)) }))
    .filter(({ each, steps }) => steps <= (each.length <= 4 ? 1 : each.length < 10 ? 2 : 3))
    .sort((a, b) => a.steps - b.steps);
  return near[0]?.each;
};

/** The number of letters to change, add, remove, or swap with a neighbour. */
const distance = (a: string, b: string): number => {
  const rows = [Array.from({ length: b.length + 1 }, (_, at) => at)];
  const cell = (i: number, j: number): number => rows[i]?.[j] ?? Number.POSITIVE_INFINITY;
  for (let i = 1; i <= a.length; i += 1) {
    rows.push([i]);
    for (let j = 1; j <= b.length; j += 1) {
      const steps = [
        cell(i - 1, j) + 1,
        cell(i, j - 1) + 1,
        cell(i - 1, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1),
        i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? cell(i - 2, j - 2) + 1 : cell(-1, 0),
      ];
      rows[i]?.push(Math.min(...steps));
    }
  }
  return cell(a.length, b.length);
};

/** Names in a config file that are unknown, or stand in the wrong place. */
export const wrongNames = ({ entries, sections }: Settings, commands: readonly Command[]): Problem[] => {
  const keys = new Map(commands.map((command) => [command.name(), flagsOf(command).map(({ key }) => key)]));
  const all = [...keys.values()].flat();
  const twice = (those: readonly { key: string; line: number }[]): Problem[] =>
    those.flatMap(({ key, line }, at) => {
      const before = those.slice(0, at).find((each) => sameKey(each.key) === sameKey(key));
      return before ? [{ line, text: `${key}: already set on line ${before.line}.` }] : [];
    });
  const mistake = (entry: Entry, known: readonly string[], help: string): Problem[] => {
    const { key, line, values } = entry;
    if (values.some(({ text }) => /^LTAI\w{8,}$/.test(text))) return [{ line, text: SECRETS(key) }];
    if (known.includes(key)) return [];
    if (/access_?-?key|ak_?-?(id|secret)|secret|password|security_?-?token|sts_?-?token|credential/i.test(key))
      return [{ line, text: SECRETS(key) }];
    if (key === "config") return [{ line, text: "config: a config file cannot name another config file." }];
    const owners = [...keys].filter(([, theirs]) => theirs.includes(key)).map(([name]) => name);
    if (owners.length > 0) return [{ line, text: `"${key}" is not a flag of ${help}, but of ${owners.join(", ")}.` }];
    if (keys.has(key)) return [{ line, text: `${key}: write the flags of this command on indented lines below it.` }];
    return [{ line, text: unknown(key, known, help) }];
  };
  return [
    ...twice([...entries, ...sections].sort((a, b) => a.line - b.line)),
    ...entries.flatMap((entry) => mistake(entry, [...all, "agents"], "export")),
    ...sections.flatMap(({ key, line, entries: inner }) => {
      const known = keys.get(key);
      if (!known && all.includes(key)) return [{ line, text: `${key}: write a value, not a mapping.` }];
      if (!known) return [{ line, text: unknown(key, [...keys.keys(), ...all], "export") }];
      const more = known.includes("agent") ? ["agents"] : [];
      return [...twice(inner), ...inner.flatMap((entry) => mistake(entry, [...known, ...more], key))];
    }),
  ].sort((a, b) => a.line - b.line);
};

/** `agents:` is another name of `agent:`. */
const sameKey = (key: string): string => (key === "agents" ? "agent" : key);

const unknown = (key: string, known: readonly string[], help: string): string => {
  const name = JSON.stringify(key.slice(0, 60));
  if (/^no-/.test(key) && known.includes(key.slice(3))) return `unknown key ${name} (write "${key.slice(3)}: false")`;
  const meant = closest(key, known);
  return meant
    ? `unknown key ${name} (did you mean "${meant}"?)`
    : `unknown key ${name}; "callarchive ${help} --help" lists the flags.`;
};

const SECRETS = (key: string): string =>
  `${JSON.stringify(key.slice(0, 60))}: credentials do not belong in this file. Set ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET, or name a profile of the aliyun command line: "profile: NAME".`;

/** CALLARCHIVE_ variables with almost the name of a flag's variable. Other unknown ones may belong to another program. */
export const wrongVariables = async ({ env }: Io, all: () => Promise<readonly Command[]>): Promise<string[]> => {
  const prefix = "CALLARCHIVE_";
  const set = Object.keys(env).filter((name) => name.startsWith(prefix) && env[name]);
  // Usually none is set; then the flags of all commands need not be loaded.
  if (set.length === 0) return [];
  const known = new Set((await all()).flatMap((command) => command.options.map(variableOf)));
  const short = (name: string): string => name.slice(prefix.length);
  return set
    .filter((name) => !known.has(name))
    .flatMap((name) => {
      const negated = `${prefix}NO_${short(name)}`;
      const meant = known.has(negated) ? short(negated) : closest(short(name), [...known].map(short));
      return meant ? [`unknown variable ${name} (did you mean ${prefix}${meant}?)`] : [];
    });
};
