import fc from "fast-check";

// The suite decides what lands: it finds the same every time. `npm run soak` looks elsewhere each time, and what it
// finds becomes a test of its own.
if (process.env.SOAK !== "1") fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: 20_251_120 });
