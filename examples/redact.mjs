// Takes personal data out of a conversation, and makes rows of what is left.
import { createHash } from "node:crypto";
import { callTranscript, createRedactor, curate, parsePattern, presets } from "callarchive";

// A call log as the service writes it; `openArchive` gives conversations of an archive.
const log = {
  instanceid: "1f0c7a5e92d84b6c",
  startTime: 1755138072.245,
  dialog: [
    { id: 1, begin: 0.8, role: "agent", type: "greeting", text: "Hello! How can I help?" },
    { id: 2, begin: 4.2, role: "user", type: "normal", text: "Order JD0123456789, call me at 13814566328." },
    { id: 3, begin: 9.5, role: "agent", type: "normal", text: "I will call 13814566328 about JD0123456789." },
  ],
};
const bytes = Buffer.from(JSON.stringify(log));
const sha256 = createHash("sha256").update(bytes).digest("hex");
const transcript = callTranscript({ id: log.instanceid, document: { bytes, sha256 } });

const redact = await createRedactor({
  categories: ["phone", "email"],
  patterns: [parsePattern("order=JD\\d{10}")],
});
const { transcript: clean, counts } = redact(transcript);
console.log(counts);
for (const { role, text } of clean.turns) console.log(`${role}: ${text}`);

const curated = curate(clean, { greeting: "drop" });
if ("samples" in curated)
  for (const sample of curated.samples) console.log(JSON.stringify(presets.openai.line(sample)));
