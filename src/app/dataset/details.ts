import { qualifiedId } from "../../core/conversation-id.ts";
import type { StoredConversation } from "../../core/records.ts";
import type { DroppedSample, Sample } from "../../core/sample.ts";
import { createStats, sizeOf } from "../../reports/stats.ts";
import type { AtomicFile } from "../../sinks/atomic-file.ts";
import type { DroppedCall, KeptCall } from "./decide.ts";
import type { SetFiles } from "./set-files.ts";
import { DROPPED, PROVENANCE } from "./set-folder.ts";

type Identity = Pick<StoredConversation, "source" | "id">;

/** Lines that are collected before a write, in characters. */
const PIECE = 256 * 1024;

/** Collects the statistics of a data set and everything that was dropped. */
export class SetDetails {
  readonly stats: ReturnType<typeof createStats>;
  readonly #dropped: AtomicFile;
  /** Characters that wait for a write. */
  #waiting = 0;

  private constructor(seed: string, dropped: AtomicFile) {
    this.stats = createStats({ seed });
    this.#dropped = dropped;
  }

  static async open(seed: string, files: SetFiles): Promise<SetDetails> {
    // A set without rows has one too.
    await files.sidecar(PROVENANCE);
    return new SetDetails(seed, await files.sidecar(DROPPED));
  }

  /** Counts a call without samples. */
  drop(dropped: DroppedCall, record: Identity): void {
    this.stats.drop(dropped);
    this.#note(dropped, record);
    for (const lost of dropped.lost ?? []) this.#lose(lost, record);
  }

  /** Counts a sample that a preset cannot express. */
  refuse(preset: string, reason: string, from: SampleOrigin): void {
    this.stats.refuse(preset, reason);
    this.#line({ split: from.call.split, ...originOf(from), preset, step: "preset", reason });
  }

  /** Counts a call. @param counted its samples for the statistics */
  keep(call: KeptCall, counted: readonly Sample[], record: StoredConversation): void {
    for (const lost of call.lost) this.#lose(lost, record);
    const { split, changes, redacted, seconds, interrupted } = call;
    this.stats.keep({
      split,
      changes,
      redacted,
      ...(seconds !== undefined && { seconds }),
      ...(interrupted !== undefined && { interrupted }),
    });
    for (const sample of counted) {
      this.stats.count(sizeOf(sample), split);
      this.stats.offer({ ...sample, id: namesOf(sample.id, record).id }, split, changes);
    }
  }

  #lose(lost: DroppedSample, record: Identity): void {
    this.stats.lose(lost);
    this.#note(lost, record);
  }

  #note({ callId, unit, step, reason, of }: DroppedSample, record: Identity): void {
    const names = namesOf(callId, record);
    this.#line({ ...names, ...(unit && { unit }), step, reason, ...(of !== undefined && { of }) });
  }

  #line(line: object): void {
    const text = `${JSON.stringify(line)}\n`;
    this.#dropped.add(text, 1);
    this.#waiting += text.length;
  }

  async flush(): Promise<void> {
    if (this.#waiting < PIECE) return;
    this.#waiting = 0;
    await this.#dropped.flush();
  }
}

/** A sample's id begins with that of its conversation: both with the source, so that no two look alike. */
const namesOf = (id: string, { source, id: own }: Identity): { conversation: string; id: string } => {
  const conversation = qualifiedId({ source, id: own });
  return { conversation, id: `${conversation}${/#\d+$/.exec(id.slice(own.length))?.[0] ?? ""}` };
};

/** A sample as a preset has it, and what it was made of. */
export interface SampleOrigin {
  sample: Sample;
  /** The sample that is counted: see `PresetRow`. */
  counted: Sample;
  call: KeptCall;
  record: StoredConversation;
}

/** Where a sample comes from: never in the sample itself, trainers take nothing beside its messages. */
const originOf = ({ sample, counted, call, record }: SampleOrigin) => {
  const { id, tokens, language, messages, score } = sample;
  const { changes, redacted, seconds, interrupted } = call;
  const { agentId, startedAt } = record;
  const { turns, characters } = sizeOf(counted);
  return {
    ...namesOf(id, record),
    ...(agentId && { agent: agentId.toWellFormed() }),
    language,
    ...(startedAt && { startedAt }),
    ...(seconds !== undefined && { seconds }),
    ...(tokens !== undefined && { tokens }),
    ...(score !== undefined && { score }),
    characters,
    ...(counted !== sample && { messages: turns }),
    changes,
    ...(interrupted && { interrupted }),
    ...(Object.keys(redacted).length > 0 && { redacted }),
    // Numbers, not times: readers of folders guess at what looks like one.
    turns: messages.map(({ role, turns: made }) => ({ role, turns: made ?? [] })),
  };
};

/** The end of a sample's lines of provenance, after the keys that say where its row is. */
export const originLine = (of: SampleOrigin): string => `${JSON.stringify(originOf(of)).slice(1)}\n`;
