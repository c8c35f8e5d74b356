/**
Control tokens of chat models in texts: `<|im_end|>`, `</s>`, `[INST]`, `<think>`, `<image>`.

Trainers encode text and template together, so a tokenizer reads such text as the token itself: it ends the turn, begins
another, or stands for a picture (https://github.com/huggingface/transformers/issues/29279). A tokenizer finds a token
letter by letter, so any sign inside it breaks it. Some normalise the text before: their forms count too, such as
`＜｜im_end｜＞`, other case, and invisible characters inside.
*/

/** The signs that fold to `<` or `[`, and to `>` or `]`. Only U+226E and U+226F fold to a sign and an accent. */
const OPEN = "<[\uff1c\ufe64\uff3b\ufe47\u226e";
const CLOSE = ">\\]\uff1e\ufe65\uff3d\ufe48\u226f";
const MAY_HOLD = new RegExp(`[${OPEN}]`);
// No token has an opening sign inside, except `<<SYS>>`: so each sign is read at most twice.
const CANDIDATE = new RegExp(`[${OPEN}](?:(\\\\*)[${OPEN}])?[^${OPEN}${CLOSE}\\r\\n]*[${CLOSE}]{1,2}`, "g");

/** Names between `<` and `>`, with or without `/`, of the tokenizers and of the media tags of ms-swift and LLaMA-Factory. */
const TAGS = [
  ...["s", "unk", "pad", "bos", "eos", "mask", "cls", "sep", "sop", "eop"],
  ...["think", "tool_call", "tool_response", "image", "video", "audio", "bbox", "ref-object", "cot-process"],
  ...["image_soft_token", "audio_soft_token", "(?:start|end)_of_[a-z_]{1,30}", "fim_(?:prefix|middle|suffix|pad)"],
  ...["unused\\d{1,5}", "special_\\d{1,5}"],
].join("|");
/** Names between `[` and `]`, in this case only: `[audio]` is a remark in many transcripts. */
const BRACKETS = [
  ...["\\/?INST", "\\/?SYSTEM_PROMPT", "\\/?AVAILABLE_TOOLS", "\\/?TOOL_RESULTS", "\\/?MODEL_SETTINGS", "\\/?THINK"],
  ...["TOOL_CALLS", "TOOL_CONTENT", "ARGS", "CALL_ID", "IMG", "IMG_BREAK", "IMG_END", "AUDIO", "BEGIN_AUDIO"],
  ...["TRANSCRIBE", "PREFIX", "MIDDLE", "SUFFIX", "multimodal", "gMASK", "sMASK", "MASK", "CLS", "SEP", "UNK", "PAD"],
  ...["BOS", "EOS", "control_\\d{1,5}", "UNUSED_TOKEN_\\d{1,5}"],
].join("|");
/** With a bar on both sides any name counts, because each model family adds its own; with one bar any word. */
const ANGLES = `\\|[^<>\\r\\n]{1,60}\\|>|\\|[\\w/"]{1,40}>|/?[\\w"]{1,40}\\|>|/?(?:${TAGS})>|</?SYS>>`;
const IN_ANGLES = new RegExp(`^<(\\\\*)(?:${ANGLES})`, "i");
const IN_BRACKETS = new RegExp(`^\\[(\\\\*)(?:${BRACKETS})\\]`);

/** False for most texts, at little cost: they have no sign that begins a token. */
export const mayHoldControlToken = (text: string): boolean => MAY_HOLD.test(text);

/** Where a control token begins, how long it is in the text, and how many backslashes break it. */
interface Place {
  start: number;
  end: number;
  name: string;
  backslashes: number;
}

/** The control tokens of a text, in order, also those that are broken by backslashes. */
const placesOf = (text: string): Place[] => {
  if (!mayHoldControlToken(text)) return [];
  const places: Place[] = [];
  for (const { 0: candidate, 1: slashes, index } of text.matchAll(CANDIDATE)) {
    const inner = slashes === undefined ? undefined : 1 + slashes.length;
    const place = placeOf(candidate, index) ?? (inner && placeOf(candidate.slice(inner), index + inner));
    if (place) places.push(place);
  }
  return places;
};

const placeOf = (candidate: string, start: number): Place | undefined => {
  const text = fold(candidate);
  const found = IN_ANGLES.exec(text) ?? IN_BRACKETS.exec(text);
  if (found === null) return undefined;
  const { 0: token, 1: slashes = "" } = found;
  const rest = text.length - token.length;
  return { start, end: start + candidate.length - rest, name: nameOf(token), backslashes: slashes.length };
};

const ASCII = /^[\x20-\x7e]*$/;

/** As the most thorough tokenizers normalise: compatible forms are one, accents and invisible characters are gone. */
const fold = (text: string): string =>
  ASCII.test(text) ? text : text.normalize("NFKD").replace(/[\p{M}\p{Cf}\p{Cc}]/gu, "");

/** Tokens whose name may be shown. Others may hold words of the conversation. */
const KNOWN_BARS =
  /^\|(?:im_(?:start|end|sep)|(?:begin|end|start)_?of_?(?:text|turn|prompt)|eot_id|eom_id|(?:start|end)_header_id|python_tag|(?:object_ref|box|quad|vision)_(?:start|end)|(?:image|video|audio|vision|fim)_pad|fim_(?:prefix|middle|suffix)|repo_name|file_sep|reserved_special_token_\d+|system|user|assistant|tool|end|image|audio|video)\|$/i;

/** `<|im_end|>`; of numbered tokens `<unused…>`, of unknown ones `<|…|>`. */
const nameOf = (token: string): string => {
  const bare = token.replace(/\\/g, "");
  if (bare.includes("|") && !KNOWN_BARS.test(bare.slice(1, -1))) return "<|…|>";
  const [, side] = /^<\/?(start|end)_of_(?!(?:turn|text|image|audio|video)>)/i.exec(bare) ?? [];
  if (side !== undefined) return `<${side.toLowerCase()}_of_…>`;
  const name = bare.replace(/\d+/, "…");
  return bare.startsWith("<") && !/SYS|SPECIAL/i.test(bare) ? name.toLowerCase() : name;
};

/** The names of the control tokens in a text, in order. Never words of the text. */
export const controlTokensIn = (text: string): string[] =>
  placesOf(text).flatMap(({ name, backslashes }) => (backslashes === 0 ? [name] : []));

/** A text without control tokens, and their names. */
export interface SafeText {
  text: string;
  names: string[];
}

/**
Puts a backslash behind the first sign of each control token: `<\|im_end|>`, `<\/s>`, `[\INST]`. It can be read, no
tokenizer removes it, and `unescapeControlTokens` gives the text back: a token with backslashes gets one more.

@param isKept which tokens stay, by name and whether a backslash breaks them already; @default none
*/
export const escapeControlTokens = (
  text: string,
  isKept: (name: string, isBroken: boolean) => boolean = () => false,
): SafeText => {
  const places = placesOf(text).filter(({ name, backslashes }) => !isKept(name, backslashes > 0));
  if (places.length === 0) return { text, names: [] };
  let from = 0;
  const pieces: string[] = [];
  for (const { start } of places) {
    pieces.push(text.slice(from, start + 1), "\\");
    from = start + 1;
  }
  return { text: pieces.join("") + text.slice(from), names: places.map(({ name }) => name) };
};

/** Gives back the text that `escapeControlTokens` changed. */
export const unescapeControlTokens = (text: string): string => {
  let from = 0;
  const pieces: string[] = [];
  for (const { start } of placesOf(text)) {
    if (text[start + 1] !== "\\") continue;
    pieces.push(text.slice(from, start + 1));
    from = start + 2;
  }
  return pieces.join("") + text.slice(from);
};

/** How often the rest is searched again: what is removed may leave another token behind, `<s<s>>`. */
const MOST_ROUNDS = 8;

/** Removes control tokens. Nested deeper than 8 times, they are escaped. */
export const stripControlTokens = (text: string): SafeText => {
  const names: string[] = [];
  let left = text;
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    const places = placesOf(left).filter(({ backslashes }) => backslashes === 0);
    if (places.length === 0) return { text: left, names };
    let from = 0;
    const pieces: string[] = [];
    for (const { start, end, name } of places) {
      pieces.push(left.slice(from, start));
      names.push(name);
      from = end;
    }
    left = pieces.join("") + left.slice(from);
  }
  return { text: escapeControlTokens(left).text, names };
};
