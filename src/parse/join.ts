import { INTERRUPTED, type Json, type JsonObject, type Turn } from "../core/transcript.ts";
import { clockOf } from "./many-records.ts";
import { Names } from "./names.ts";
import { Beginnings, byTime, grouped, lowerBound, pairs, plainText } from "./pairing.ts";
import type { Utterance } from "./utterances.ts";

/** A turn of the transcript with what the records add to it. */
interface Entry {
  turn: Turn;
  /** Whether it is of the call log. */
  isLogged: boolean;
  plain: string;
  /** Milliseconds since 1970. */
  ms?: number;
  dialogueId?: string;
  /** Whether a dialogue has just this text: then other dialogues are no parts of it. */
  isWhole?: boolean;
  reasoning?: string;
  /** Places. */
  audio: Set<string>;
  extra: Map<string, Json>;
}

/** What is said this close to a turn can be a part of it. */
const NEAR_MS = 30_000;

/** So many turns of the same role before and after are looked at for a text that is part of another. */
const NEIGHBOURS = 4;

/** Of comparing characters, for all parts of a call: hostile texts cost no more, and then are turns of their own. */
const WORK_LIMIT = 200_000_000;

const keyed = (role: string, rest: string): string => `${role}\0${rest}`;

/**
Joins what several records tell of the same turns. The log's turns and their order stand; each further list of utterances adds
fields to the turns that it tells of, and turns for what no other has.

An utterance tells of the turn that has its dialogue id; else of one with the same role and text, the nearest in time, each
turn once; else of a near turn of its role of which it is a part. A list never joins its own utterances by text.
*/
export class Join {
  #entries: Entry[];
  readonly #start: number | undefined;
  readonly #hasLog: boolean;
  readonly #byDialogue = new Map<string, Entry>();
  /** Undefined where a round has several turns of one role. */
  readonly #byRound = new Map<string, Entry | undefined>();
  #work = 0;

  /** @param start of the call, in milliseconds since 1970 */
  constructor(log: readonly Turn[] | undefined, start: number | undefined) {
    this.#start = start;
    this.#hasLog = log !== undefined;
    this.#entries = (log ?? []).map((turn) => {
      const ms = turn.begin === undefined || start === undefined ? undefined : start + turn.begin * 1000;
      return entryOf(turn, ms, true);
    });
  }

  /** Adds what is written down as a whole: dialogues. */
  addDialogues(utterances: readonly Utterance[]): void {
    this.#add(utterances.toSorted(byTime), false);
  }

  /** Adds sentences with their audio. @returns those without text that belong to no turn */
  addSentences(utterances: readonly Utterance[]): Utterance[] {
    return this.#add(utterances.toSorted(byTime), true);
  }

  #add(utterances: readonly Utterance[], isSpoken: boolean): Utterance[] {
    const taken = new Set<Entry>();
    const rest = (left: readonly Utterance[], find: (utterance: Utterance) => Entry | undefined): Utterance[] =>
      left.filter((utterance) => {
        const entry = find(utterance);
        if (!entry) return true;
        this.#attach(entry, utterance, isSpoken);
        taken.add(entry);
        return false;
      });
    let left = rest(utterances, (utterance) => this.#byIds(utterance, isSpoken));
    const sameText = this.#sameTexts(left, taken, isSpoken);
    left = rest(left, (utterance) => sameText.get(utterance));
    if (!isSpoken) for (const entry of sameText.values()) entry.isWhole = true;
    left = rest(left, this.#partsFinder(isSpoken));
    if (isSpoken)
      left = rest(left, (utterance) => {
        const entry = this.#ofRound(utterance);
        return entry?.audio.size === 0 ? entry : undefined;
      });
    const own = isSpoken ? left.filter(({ text }) => text !== "") : left;
    this.#insert(own, isSpoken);
    return isSpoken ? left.filter(({ text }) => text === "") : [];
  }

  #ofRound({ role, roundId }: Utterance): Entry | undefined {
    return roundId === undefined ? undefined : this.#byRound.get(keyed(role, roundId));
  }

  #byIds(utterance: Utterance, isSpoken: boolean): Entry | undefined {
    const { role, dialogueId, text } = utterance;
    const entry = dialogueId === undefined ? undefined : this.#byDialogue.get(keyed(role, dialogueId));
    if (entry || !isSpoken) return entry;
    const ofRound = this.#ofRound(utterance);
    return ofRound && (text === "" || ofRound.plain === plainText(text)) ? ofRound : undefined;
  }

  /** The turn with the same role and text for each utterance that has one. One dialogue never has the turn of another. */
  #sameTexts(left: readonly Utterance[], taken: Set<Entry>, isSpoken: boolean): Map<Utterance, Entry> {
    const found = new Map<Utterance, Entry>();
    const pair = (utterances: readonly Utterance[], entries: readonly Entry[]): void => {
      const groups = grouped(entries, ({ turn, plain }) => keyed(turn.role, plain));
      for (const [key, group] of grouped(utterances, ({ role, text }) => keyed(role, plainText(text))))
        for (const [utterance, entry] of pairs(group, (groups.get(key) ?? []).toSorted(byTime))) {
          found.set(utterance, entry);
          taken.add(entry);
        }
    };
    const isNamed = ({ dialogueId }: Utterance | Entry): boolean => !isSpoken && dialogueId !== undefined;
    // An audio file alone says no text.
    const wanted = isSpoken ? left.filter(({ text }) => text !== "") : left;
    const free = (): Entry[] => this.#entries.filter((entry) => !taken.has(entry));
    pair(
      wanted.filter((utterance) => isNamed(utterance)),
      free().filter((entry) => !isNamed(entry)),
    );
    pair(
      wanted.filter((utterance) => !isNamed(utterance)),
      free(),
    );
    return found;
  }

  /** Finds the near turn of the same role that an utterance is part of, or that is most of the utterance. */
  #partsFinder(isSpoken: boolean): (utterance: Utterance) => Entry | undefined {
    const beginnings = new Beginnings(this.#entries);
    const byRole = grouped(this.#entries.keys(), (at) => this.#entries[at]?.turn.role ?? "");
    return (utterance) => {
      const { role, ms, dialogueId } = utterance;
      const plain = plainText(utterance.text);
      const ofRole = byRole.get(role);
      if (plain === "" || ms === undefined || !ofRole) return undefined;
      const last = beginnings.lastBy(utterance);
      const from = lowerBound(ofRole, (at) => at > last);
      const near = ofRole
        .slice(Math.max(0, from - NEIGHBOURS), from + NEIGHBOURS)
        .map((at) => ({ at, entry: this.#entries[at] as Entry }))
        // The turns around it are near at any time: a turn can be long.
        .filter(({ at, entry }) => at === last || at === last + 1 || gap(entry, ms) <= NEAR_MS)
        .map(({ entry }) => entry)
        // A dialogue is no part of another dialogue.
        .filter((entry) => isSpoken || (entry.isLogged && !(entry.isWhole && dialogueId !== undefined)))
        .filter((entry) => entry.plain !== "" && entry.plain !== plain && this.#mayCompare(entry.plain, plain));
      const whole = near.filter((entry) => entry.plain.includes(plain));
      const nearest = whole.toSorted((one, other) => gap(one, ms) - gap(other, ms))[0];
      if (nearest) return nearest;
      const parts = near.filter((entry) => plain.includes(entry.plain));
      const length = parts.reduce((sum, entry) => sum + entry.plain.length, 0);
      return length * 2 >= plain.length ? parts[0] : undefined;
    };
  }

  #mayCompare(one: string, other: string): boolean {
    this.#work += one.length * other.length;
    return this.#work <= WORK_LIMIT;
  }

  #attach(entry: Entry, utterance: Utterance, isSpoken: boolean): void {
    const { reasoning, audio, dialogueId, extra = {} } = utterance;
    if (reasoning !== undefined) entry.reasoning ??= reasoning;
    if (audio !== undefined) entry.audio.add(audio);
    for (const [key, value] of Object.entries(extra)) if (!entry.extra.has(key)) entry.extra.set(key, value);
    if (dialogueId !== undefined) entry.dialogueId ??= dialogueId;
    this.#register(entry, utterance, isSpoken);
  }

  #register(entry: Entry, { role, dialogueId, roundId }: Utterance, isSpoken: boolean): void {
    if (dialogueId !== undefined && !this.#byDialogue.has(keyed(role, dialogueId)))
      this.#byDialogue.set(keyed(role, dialogueId), entry);
    if (roundId === undefined || isSpoken) return;
    const key = keyed(role, roundId);
    const isFirst = !this.#byRound.has(key) || this.#byRound.get(key) === entry;
    this.#byRound.set(key, isFirst ? entry : undefined);
  }

  /** Each after the last turn that began before it. */
  #insert(utterances: readonly Utterance[], isSpoken: boolean): void {
    if (utterances.length === 0) return;
    const beginnings = new Beginnings(this.#entries);
    const places = grouped(utterances, (utterance) => String(beginnings.lastBy(utterance)));
    const added = (at: number): Entry[] =>
      (places.get(String(at)) ?? []).map((utterance) => {
        const entry = entryOf(this.#turnOf(utterance), utterance.ms, false);
        this.#attach(entry, utterance, isSpoken);
        return entry;
      });
    this.#entries = [...added(-1), ...this.#entries.flatMap((entry, at) => [entry, ...added(at)])];
  }

  /** The turns with all that was added. Their ids are unique, as far as those of the log are. */
  turns(): Turn[] {
    const logged = this.#entries.filter(({ isLogged }) => isLogged);
    const names = new Names(logged.map(({ turn }) => turn.id));
    return this.#entries.map((entry) => {
      const { turn, isLogged } = entry;
      return added(isLogged ? turn : { ...turn, id: names.unique(turn.id) }, entry);
    });
  }

  #turnOf({ id, role, kind, text, ms, recordSource }: Utterance): Turn {
    return {
      id,
      role,
      kind,
      text,
      ...(ms !== undefined && clockOf(ms, this.#start)),
      ...(role === "agent" && text.includes(INTERRUPTED) && { interrupted: true }),
      ...(this.#hasLog && { recordSource }),
    };
  }
}

const entryOf = (turn: Turn, ms: number | undefined, isLogged: boolean): Entry => ({
  turn,
  isLogged,
  plain: plainText(turn.text),
  ...(ms !== undefined && { ms }),
  audio: new Set(),
  extra: new Map(),
});

const gap = ({ ms }: Entry, time: number): number =>
  ms === undefined ? Number.POSITIVE_INFINITY : Math.abs(ms - time);

/** The turn with the fields that it lacks. */
const added = (turn: Turn, { reasoning, audio, extra, dialogueId }: Entry): Turn => {
  const [first, ...further] = audio;
  const more: JsonObject = {
    ...(dialogueId !== undefined && dialogueId !== turn.id && { dialogueId }),
    ...Object.fromEntries(extra),
    ...(further.length > 0 && { furtherAudio: further }),
    ...turn.extra,
  };
  if (reasoning === undefined && first === undefined && Object.keys(more).length === 0) return turn;
  const { extra: _, recordSource, ...rest } = turn;
  return {
    ...rest,
    ...(reasoning !== undefined && { reasoning }),
    ...(first !== undefined && { audio: first }),
    ...(recordSource !== undefined && { recordSource }),
    ...(Object.keys(more).length > 0 && { extra: more }),
  };
};
