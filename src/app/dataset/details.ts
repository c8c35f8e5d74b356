import type { StoredConversation } from "../../core/records.ts";
import type { DroppedSample, Sample } from "../../core/sample.ts";
import { createStats } from "../../reports/stats.ts";
import type { AtomicFile } from "../../sinks/atomic-file.ts";
import type { DroppedCall, KeptCall } from "./decide.ts";
import type { SetFiles } from "./set-files.ts";
import { DROPPED, PROVENANCE } from "./set-folder.ts";

/** Collects the statistics of a data set, the origin of each sample, and everything that was dropped. */
export class SetDetails {
  readonly stats: ReturnType<typeof createStats>;
  readonly redacted: Record<string, number> = {};
  readonly #provenance: AtomicFile;
  readonly #dropped: AtomicFile;

  private constructor(seed: string, provenance: AtomicFile, dropped: AtomicFile) {
    this.stats = createStats({ seed });
    this.#provenance = provenance;
    this.#dropped = dropped;
  }

  static async open(seed: string, files: SetFiles): Promise<SetDetails> {
    return new SetDetails(seed, await files.sidecar(PROVENANCE), await files.sidecar(DROPPED));
  }

  /** Counts a call without samples. */
  drop(dropped: DroppedCall): void {
    this.stats.drop(dropped);
    this.#note(dropped);
    for (const lost of dropped.lost ?? []) this.#lose(lost);
  }

  /** Counts a sample that a preset cannot express. */
  refuse(preset: string, sampleId: string, reason: string): void {
    this.stats.refuse(preset, reason);
    this.#note({ callId: sampleId, step: "preset", reason }, preset);
  }

  #lose(lost: DroppedSample): void {
    this.stats.lose(lost);
    this.#note(lost);
  }

  /** @param preset the only one that lacks the sample */
  #note({ callId, step, reason, of }: DroppedSample, preset?: string): void {
    const line = { id: callId, ...(preset && { preset }), step, reason, ...(of && { of }) };
    this.#dropped.add(`${JSON.stringify(line)}\n`, 1);
  }

  /** Counts a call. @param counted its samples for the statistics @param written those that some preset writes */
  keep(call: KeptCall, counted: readonly Sample[], written: Iterable<Sample>, record: StoredConversation): void {
    for (const [name, n = 0] of Object.entries(call.redacted)) this.redacted[name] = (this.redacted[name] ?? 0) + n;
    for (const lost of call.lost) this.#lose(lost);
    this.stats.keep(counted, {
      split: call.split,
      changes: call.changes,
      ...(call.interrupted !== undefined && { interrupted: call.interrupted }),
    });
    for (const sample of written) this.#provenance.add(`${JSON.stringify(origin(sample, call, record))}\n`, 1);
  }

  async flush(): Promise<void> {
    await this.#provenance.flush();
    await this.#dropped.flush();
  }
}

/** Where a sample comes from: never in the sample itself, trainers take nothing beside its messages. */
const origin = (
  { id, tokens, language, messages }: Sample,
  { callId, split }: KeptCall,
  { startedAt }: StoredConversation,
) => ({
  id,
  call: callId,
  split,
  language,
  ...(startedAt && { startedAt }),
  ...(tokens !== undefined && { tokens }),
  // Numbers, not times: readers of folders guess at what looks like one.
  turns: messages.map(({ role, turns }) => ({ role, turns: turns ?? [] })),
});
