import fc from "fast-check";
import { SOAK } from "./soak.ts";

// The suite decides what lands: it finds the same every time. `npm run soak` looks elsewhere each time, and what it
// finds becomes a test of its own.
if (!SOAK) fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: 20_251_120 });
