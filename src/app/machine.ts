import { readFileSync, readlinkSync } from "node:fs";
import { uptime } from "node:os";

// What a lock's owner is recognised by. Boots, namespaces and starts are told by /proc, on Linux.

/** As `Host.processSpace`. */
export const processSpace = (): string => {
  try {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    return `${boot}/${readlinkSync("/proc/self/ns/pid")}`;
  } catch {
    return `booted ${new Date(Math.round((Date.now() - uptime() * 1000) / 60_000) * 60_000).toISOString()}`;
  }
};

/** As `Host.startOf`. */
export const startOf = (pid: number): string | undefined => {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The name of the command may hold spaces and parentheses; the start is the twentieth field after it.
    return text.slice(text.lastIndexOf(")") + 2).split(" ")[19];
  } catch {
    return undefined;
  }
};

/** As `Host.isAlive`. @param probe sends signal 0, as Node's `process.kill` does */
export const isAlive = (pid: number, probe: (pid: number, signal: 0) => boolean): boolean => {
  try {
    return probe(pid, 0);
  } catch (error) {
    // It runs, as somebody else.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
};
