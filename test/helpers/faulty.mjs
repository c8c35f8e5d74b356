// Loaded before the command (node --import): makes chosen points of its run fail, from the outside.
//
// FAULTY_LOG=FILE   appends the name of each point that is passed
// FAULTY_AT=N       at the N-th point: FAULTY_HOW=kill (default), kill-after, stop (until SIGCONT), ENOSPC, EIO
// FAULTY_STEPS=1    the steps of a migration are points too
// FAKE_TIME=MS      shifts the clock by so much; FAKE_JUMP=MS shifts it once more after FAKE_JUMP_AFTER clock readings,
//                   FAKE_STEP=MS after each step of a migration (with FAULTY_STEPS)
import { appendFileSync } from "node:fs";
import fsp from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import Database from "libsql";

const {
  FAULTY_LOG,
  FAULTY_AT = "0",
  FAULTY_HOW = "kill",
  FAULTY_STEPS,
  FAKE_TIME,
  FAKE_JUMP = "0",
  FAKE_JUMP_AFTER = "0",
  FAKE_STEP = "0",
} = process.env;
let passed = 0;
let stepped = 0;

const point = (name, work) => {
  passed += 1;
  const here = passed === Number(FAULTY_AT);
  if (FAULTY_LOG) appendFileSync(FAULTY_LOG, `${name}\n`);
  if (here && FAULTY_HOW === "kill") process.kill(process.pid, "SIGKILL");
  if (here && FAULTY_HOW === "stop") process.kill(process.pid, "SIGSTOP");
  if (here && /^E[A-Z]+$/.test(FAULTY_HOW))
    throw Object.assign(new Error(`${FAULTY_HOW}: made to fail, ${name}`), { code: FAULTY_HOW });
  const result = work();
  if (here && FAULTY_HOW === "kill-after") {
    if (typeof result?.then !== "function") process.kill(process.pid, "SIGKILL");
    else return result.then(() => process.kill(process.pid, "SIGKILL"));
  }
  return result;
};
const later = (name, work) =>
  async function faulty(...args) {
    return point(name, () => work.apply(this, args));
  };

fsp.rename = later("rename", fsp.rename);
fsp.unlink = later("unlink", fsp.unlink);
const handle = await fsp.open(new URL(import.meta.url));
const methods = Object.getPrototypeOf(handle);
methods.sync = later("sync", methods.sync);
methods.writeFile = later("write", methods.writeFile);
await handle.close();
syncBuiltinESMExports();

const { exec } = Database.prototype;
Database.prototype.exec = function faulty(sql) {
  const run = () => exec.call(this, sql);
  if (sql === "COMMIT") return point("commit", run);
  // Only steps have several lines.
  if (FAULTY_STEPS === undefined || !sql.includes("\n")) return run();
  // So small that much is written to the file before the commit, as in a large archive.
  exec.call(this, "pragma cache_size = 2");
  stepped += Number(FAKE_STEP);
  return point("step", run);
};

if (FAKE_TIME !== undefined) {
  const RealDate = Date;
  let read = 0;
  const shift = () => {
    read += 1;
    return (
      Number(FAKE_TIME) +
      stepped +
      (Number(FAKE_JUMP_AFTER) > 0 && read > Number(FAKE_JUMP_AFTER) ? Number(FAKE_JUMP) : 0)
    );
  };
  globalThis.Date = class extends RealDate {
    constructor(...args) {
      if (args.length === 0) super(RealDate.now() + shift());
      else super(...args);
    }
    static now() {
      return RealDate.now() + shift();
    }
  };
}
