import { matchesOf } from "./matches.ts";
import type { Finder } from "./span.ts";

const WORD = "[A-Za-zÀ-ÿ][A-Za-zÀ-ÿ'’-]{1,19}";
/** Words that are no part of a name, also without capitals. */
const STOP = new Set(
  "a about account already anytime asap actually address after again all also am an and any anything are as ask asking at back be because been before birthday born but by call called calling can card change come coming correct could customer date day did do doctor does don't done email for from get give go going good got had has have he hello help her here hi his hold how i i'd i'll i'm i've if in into is isn't it it's its just last late later let like line listed looking lot made make maybe me mean middle misspelled my name need never new no not now number of off ok okay old on one only or order our out over phone please problem questions question quite really regarding reservation right room said same say see she should so some something sorry speak speaking spell spelled spelling still such sure taken thank thanks that that's the their them then there they thing this time to today tomorrow too true two uh um under up us used very wait want was way we we're well were what what's when where which who why with won't working would wrong yeah yes yet you your appointment office visit service support manager team company department front desk".split(
    " ",
  ),
);
const CUE = new RegExp(
  `\\b(?:(?:last|first|sur|maiden|family|full) ?name(?! is|'s| was|:|,)|(?:my|his|her|full|first|last|sur|maiden|family|given|patient|guest|passenger|student|customer|the)(?:'s)? ?name(?: is|'s|:| was| should be|,)|(?<![a-z] ?)name(?:'s| is|:)|call me|\\w{1,20}['’]s name(?: is|:)|(?:booked|reserved|booking|reservation|room|appointment|account)(?: is| was)? under(?: the name(?: of)?)?|(?:is|it's|was|be) under(?: the name(?: of)?)?|(?:check|look|looked|listed|filed|registered|search|find it|found|reserve)(?: it)? under|(?:am i|are you|i'm|i was|i am) (?:speaking|talking|spoke) (?:with|to)|i am called|i go by)` +
    `,?\\s+(?:(?:uh|um|er|it's|mr|mrs|ms|miss|dr)\\.?,?\\s+)?(?<name>${WORD}(?:\\s${WORD}){0,2})`,
  "gi",
);
const CALLER = new RegExp(
  `\\bthis is (?:(?:mr|mrs|ms|dr)\\.? )?(?<name>${WORD}(?:\\s${WORD})?)(?=,? (?:speaking|calling|from|here|with|at)\\b)`,
  "gi",
);
const CAPITAL = "[A-ZÀ-Þ][a-zà-ÿ'’-]{1,19}";
/** With capitals, fewer words are needed: "I'm Ann Lee," and "the owner is Ann". */
const CAPITALS = new RegExp(
  `\\b(?:[Tt]his is|I'm|I am|i'm) (?<name>${CAPITAL}(?: ${CAPITAL}){1,2}|${CAPITAL}(?=,? (?:calling|speaking)\\b))(?=[,.!?]|$| and | from |,? (?:calling|speaking)\\b)` +
    `|\\b(?:holder|owner|passenger|patient|guest|caller|recipient|sender|tenant|beneficiary|driver) is (?!M[rs]s?\\b|Dr\\b|Miss\\b)(?<whose>${CAPITAL}(?: ${CAPITAL}){0,2})`,
  "g",
);
const TITLED = new RegExp(
  `\\b(?:mr|mrs|ms|mister|missus|dr|prof|professor|sir|madam|miss|doctor)\\.?\\s+(?=(?<name>${WORD}(?:\\s${WORD})?))`,
  "gi",
);
/** Titles that are also common words: a name after them has a capital letter, or stands alone. */
const VAGUE = /^(?:ms|miss|doctor|sir|madam|dr)\b/;
const VAGUE_NEXT =
  /^(?:word|office|excel|teams|paint|access|dos|project|said|will|prescribed|the|you|your|my|our|it|that|them|him|her|one|two|a|an|on|and|or|appointment|visit|told|note|notes|please|thanks|thank|yes|no|i|could|can|calls?|who|is|was|has|had|out|at|this|that|those|these|some|any|all|every|each|work|class|flight|train|bus|payment|payments|call|recommended|ordered|wants|wrote|gave|for|from|in|about|to|are|do|does|if|when|pepper)$/i;

/** The words of a name; with capitals the name ends at the first word without one. */
const trimmed = (found: string, isTitle: boolean, after: string): string => {
  const words = found.split(/\s/);
  const capital = /^[A-ZÀ-Þ]/.test(words[0] ?? "");
  const kept: string[] = [];
  const most = capital ? 3 : isTitle ? 1 : /^\s?(?:$|[,.!?;])/.test(after) ? 3 : 2;
  for (const word of words.slice(0, most)) {
    if (STOP.has(word.toLowerCase().replace("’", "'")) || (capital && !/^[A-ZÀ-Þ]/.test(word))) break;
    kept.push(word);
  }
  return kept.join(" ").replace(/(?:['’]s|[-'’])$/, "");
};

const HINT =
  /name|i'm|i am|(?:er|nt|st|ry) is|speaking|talking|spoke|call me|under|this is|called|go by|\b(?:m(?:r|s|rs|iss|ister|issus|adam)|d(?:r|octor)|prof|sir)/i;

/** Finds names after `my name is` and the like, and after titles, with capitals or without. */
export const englishNames: Finder = (text) => {
  if (!HINT.test(text)) return [];
  return [CUE, CALLER, CAPITALS, TITLED].flatMap((pattern) =>
    matchesOf(pattern, text).flatMap(({ 0: source, index, groups = {} }) => {
      const found = groups.name ?? groups.whose ?? "";
      const isTitle = pattern === TITLED;
      const name = trimmed(found, isTitle, text.slice(index + source.length, index + source.length + 2));
      if (
        name === "" ||
        (/^(?:call me|is|it's|was|be|check|look|listed|filed|registered|search|find|found|reserve)/i.test(source) &&
          !/^[A-ZÀ-Þ]/.test(name))
      )
        return [];
      if (isTitle && VAGUE.test(source) && !/^[A-ZÀ-Þ]/.test(name) && VAGUE_NEXT.test(name.split(" ")[0] ?? ""))
        return [];
      const start = isTitle ? index + source.length : index + source.lastIndexOf(found);
      return [{ start, end: start + name.length, name: "name", value: name.toLowerCase() }];
    }),
  );
};
