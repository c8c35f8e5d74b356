// The emulated cloud, for the command that serves it.
export { parseFaults, startEmulator } from "../emulator/index.ts";
