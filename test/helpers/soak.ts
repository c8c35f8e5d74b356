/**
Whether this is `npm run soak`: more rounds, and what an ordinary run leaves out because the answer depends on the machine
(times, memory) or takes downloads.
*/
export const SOAK = process.env.SOAK === "1";
