import { isStandIn } from "../../../../src/core/stand-in.ts";
import type { adopting } from "../adopting.ts";
import type { deliveries } from "../deliveries.ts";
import type { MutantsOf, Mutate } from "./mutant.ts";

/** Items that were noted stay noted. */
const notingForEver: Mutate = (real) => {
  const noted: number[] = [];
  return {
    delivering: async (format, items) => {
      noted.push(...items);
      await real.delivering(format, noted);
    },
  };
};

export const deliveriesMutants: MutantsOf<typeof deliveries> = {
  "a destination has received what was delivered to its place in its format, and nothing else": {
    "delivered forgets": (real) => ({ delivered: (place, format) => real.delivered(place, format, []) }),
    "the format does not matter": (real) => ({ delivered: (place, _, items) => real.delivered(place, "csv", items) }),
    "letter case of a place does not matter": (real) => ({
      prepare: (place, ...rest) => real.prepare(place.toLowerCase(), ...rest),
      confirm: (place, part) => real.confirm(place.toLowerCase(), part),
      delivered: (place, ...rest) => real.delivered(place.toLowerCase(), ...rest),
    }),
    "all from the first to the last item are delivered": (real) => ({
      delivering: (format, items) => {
        const [first, last] = [Math.min(...items), Math.max(...items)];
        return real.delivering(
          format,
          Array.from({ length: last - first + 1 }, (_, at) => first + at),
        );
      },
    }),
  },
  "a part of --new counts from when it is prepared, a plain export from when it is confirmed": {
    "a part counts when it is confirmed": (real) => {
      let prepare = async (): Promise<void> => undefined;
      return {
        prepare: async (...values) => {
          prepare = () => real.prepare(...values);
        },
        confirm: async (place, part) => {
          await prepare();
          await real.confirm(place, part);
        },
      };
    },
    "a plain export counts when it is prepared": (real) => ({
      prepare: async (place, formats, part, token) => {
        await real.prepare(place, formats, part, token);
        if (part === 0) await real.confirm(place, part);
      },
    }),
  },
  "a plain export replaces the record of its place in all formats": {
    "it is one more part": (real) => ({
      prepare: (place, formats, part, token) => real.prepare(place, formats, part || 99, token),
      confirm: (place, part) => real.confirm(place, part || 99),
    }),
    "it replaces nothing in other formats": (real) => ({
      delivered: async (place, format, items) => real.delivered(place, format === "ndjson" ? "csv" : format, items),
    }),
  },
  "a plain export that was killed is replaced by the next one, also in other formats": {
    "it counts as confirmed": (real) => ({
      lastPart: async (place) => {
        const last = await real.lastPart(place);
        return last && { ...last, prepared: false };
      },
    }),
    "it stays prepared": (real) => ({
      confirm: async (place, part) => {
        await real.confirm(place, part);
        await real.prepare(place, ["csv"], part);
      },
    }),
  },
  "items that were noted count once: a confirmed part leaves none for the next": { "they stay noted": notingForEver },
  "a withdrawn part was never delivered; other parts stay": {
    "withdraw does nothing": () => ({ withdraw: async () => undefined }),
    "all parts are withdrawn": (real) => ({
      withdraw: async (place) => {
        for (const { part } of await real.parts(place)) await real.withdraw(place, part);
      },
    }),
  },
  "parts and the last part of a place are told, over all formats or of one": {
    "parts are ordered as texts": (real) => ({
      parts: async (place) =>
        (await real.parts(place)).toSorted((one, other) => (String(one.part) < String(other.part) ? -1 : 1)),
    }),
    "the format does not matter": (real) => ({ lastPart: (place) => real.lastPart(place) }),
  },
  "a confirmed part is no longer prepared, in all its formats and only at its place": {
    "confirm does nothing": () => ({ confirm: async () => undefined }),
    "all places are confirmed": (real) => ({
      confirm: async (place, part) => {
        await real.confirm(place, part);
        await real.confirm("/other", part);
      },
    }),
  },
  "tokens of parts are set, and lead to a place that has all of them": {
    "only the first token is set": (real) => ({
      setTokens: (place, parts) => real.setTokens(place, parts.slice(0, 1)),
    }),
    "one token is enough": (real) => ({ placeOf: (tokens, except) => real.placeOf(tokens.slice(0, 1), except) }),
    "no place is excepted": (real) => ({ placeOf: (tokens) => real.placeOf(tokens, "") }),
    "letter case of a token does not matter": (real) => ({
      placeOf: (tokens, except) =>
        real.placeOf(
          tokens.map((token) => token.toLowerCase()),
          except,
        ),
    }),
    "a token ends at a NUL": (real) => ({
      placeOf: (tokens, except) =>
        real.placeOf(
          tokens.map((token) => token.split("\0")[0] ?? ""),
          except,
        ),
    }),
  },
  "parts are copied to another place by their tokens, and the old place keeps them": {
    "all parts are copied": (real) => ({
      copyParts: async (from, to) => {
        const tokens = (await real.parts(from)).flatMap(({ token }) => token ?? []);
        await real.copyParts(from, to, tokens);
      },
    }),
    "the old place loses them": (real) => ({
      copyParts: async (from, to, tokens) => {
        await real.copyParts(from, to, tokens);
        await real.withdraw(from, 1);
      },
    }),
    "nothing is copied": () => ({ copyParts: async () => undefined }),
  },
  "every place and format that received a call is told, by any of its ids": {
    "a stand-in id is unknown": (real) => ({ holding: async (id) => (isStandIn(id) ? [] : real.holding(id)) }),
    "only the first place is told": (real) => ({ holding: async (id) => (await real.holding(id)).slice(0, 1) }),
  },
  "folders of data sets are remembered without the lock, once each, and hold no call by themselves": {
    "nothing is remembered": () => ({ rememberSet: async () => undefined }),
    "only the first folder is told": (real) => ({ sets: async () => (await real.sets()).slice(0, 1) }),
    "each is told twice": (real) => ({ sets: async () => [...(await real.sets()), ...(await real.sets())] }),
  },
};

export const adoptingMutants: MutantsOf<typeof adopting> = {
  "adopted parts replace the record of a place, and only there": {
    "the place keeps its old record": (real) => ({ adopt: (place, parts) => real.adopt(`${place}/new`, parts) }),
    "other places lose theirs": (real) => ({
      adopt: async (place, parts) => {
        await real.withdraw("/other", 1);
        return real.adopt(place, parts);
      },
    }),
  },
  "known and unknown calls are counted, each once": {
    "they are counted as often as they come": (real) => {
      let noted = 0;
      return {
        adopting: async (part, formats, ids) => {
          noted += ids.length;
          await real.adopting(part, formats, ids);
        },
        adopt: async (place, parts) => ({ ...(await real.adopt(place, parts)), unknown: noted }),
      };
    },
    "notes are used again": (real) => {
      const noted: Parameters<typeof real.adopting>[] = [];
      return {
        adopting: async (...values) => void noted.push(values),
        adopt: async (place, parts) => {
          for (const values of noted) await real.adopting(...values);
          return real.adopt(place, parts);
        },
      };
    },
  },
  "a call is found by its stand-in id too, also after its instance id became known": {
    "a stand-in id is unknown": (real) => ({
      adopting: (part, formats, ids) =>
        real.adopting(
          part,
          formats,
          ids.map((id) => (isStandIn(id) ? "unknown" : id)),
        ),
    }),
  },
  "a call that several files have counts for the first part": {
    "it counts for the last one": (real) => {
      const noted: Parameters<typeof real.adopting>[] = [];
      return {
        adopting: async (...values) => void noted.unshift(values),
        adopt: async (place, parts) => {
          for (const values of noted) await real.adopting(...values);
          return real.adopt(place, parts);
        },
      };
    },
  },
};
