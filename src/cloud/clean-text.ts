/** Of any scheme, also with the slashes escaped as some JSON writers do. The bound keeps long words from costing a square. */
const ADDRESS = /[a-z][a-z0-9+.-]{0,20}:(?:\\{0,4}\/){2}(?:[^\s"'<>\\]|\\{1,4}\/)+/gi;
/** Names of parameters that sign or open something. */
const SIGNED =
  /[?&;#](?:[\w-]*signature|expires|security-?token|[\w-]*access_?key_?id|x-(?:oss|amz)-[\w-]+|auth_?key|[\w-]*token|sign?)=/i;

/** What lies between blanks, quotes and tags: an address without a scheme, perhaps. */
const WORD = /[^\s"'<>]+/g;
/** Where a query or fragment begins, at whatever level it is encoded. */
const QUERY = /[?#]|%(?:25)*(?:3F|23)|\\{1,8}u00(?:3f|23)/i;

const HIDDEN = "[hidden]";
const TOKEN = "auth[_-]?token";
/** The token in text that is not JSON, or was cut so that it no longer is. */
const TOKEN_TEXT = new RegExp(
  `(${TOKEN}[\\\\"']*\\s*[:=]\\s*)(?:\\\\*"(?:[^"\\\\]|\\\\(?!"))*\\\\*"?|(\\\\*')(?:[^'\\\\]|\\\\(?!'))*\\\\*'?|[^\\s,;}&"'<]+)`,
  "gi",
);
/** The token in XML, also where the angles are written as entities; the attributes are bounded, so that time is linear. */
const TOKEN_TAG = new RegExp(
  `((?:<|&lt;|&#60;)(?:[\\w.-]{1,60}:)?${TOKEN}(?:\\s[^<>]{0,300})?(?:>|&gt;|&#62;))(?:\\s*<!\\[CDATA\\[(?:[^\\]]|\\](?!\\]>))*(?:\\]\\]>)?|(?:(?!&lt;|&#60;)[^<])+)`,
  "gi",
);
const TOKEN_ATTRIBUTE = new RegExp(`${TOKEN}[\\\\"'\\s]*[:=>]`, "i");
const TOKEN_NAME = new RegExp(TOKEN, "i");

/** What stands before the last @ of a host's part, also in an address that is a parameter of another one. */
export const withoutUsers = (address: string): string =>
  address
    .replace(/(:(?:\\{0,4}\/){2})[^/\\?#&;]*@/g, "$1")
    .replace(
      /(%(?:25){0,4}3A(?:%(?:25){0,4}2F){2})(?:(?!%(?:25){0,4}(?:2F|3F|23))[^\s/?#&;]){1,300}?%(?:25){0,4}40/gi,
      "$1",
    );

/** The same of an address without a scheme: only with a password, for two slashes also begin comments. */
const withoutPasswords = (word: string): string =>
  word.replace(/(^|[^:\\/])(\/\/)[^\s/\\?#&;@:]*:[^\s/\\?#&;@]*@/g, "$1$2");

/** Without user and password, and without a query or fragment that opens something. */
const cutAddress = (address: string): string => {
  const bare = withoutUsers(address);
  const place = bare.split(/[?#]/, 1)[0] ?? "";
  const rest = bare.slice(place.length);
  if (!SIGNED.test(decoded(rest))) return bare;
  const query = rest.split("#", 1)[0] ?? "";
  return SIGNED.test(decoded(query)) ? place : place + query;
};

/** All levels of percent-encoding undone, and the escapes of JSON and XML: to look at, not to write. */
const decoded = (word: string): string =>
  /[%\\&]/.test(word)
    ? word
        .replace(/%(?:25)+(?=[0-9a-f]{2})/gi, "%")
        .replace(/(?:%|\\{1,8}u00)([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
        .replace(/&(?:amp|#38|#x26);/gi, "&")
    : word;

/** A word that is an address without a scheme, or holds one in some encoding. */
const cutWord = (word: string): string => {
  if (!/[=%\\@]/.test(word)) return word;
  const bare = withoutPasswords(withoutUsers(word));
  const open = decoded(bare);
  if (open !== bare && TOKEN_ATTRIBUTE.test(open)) {
    const name = TOKEN_NAME.exec(bare);
    return name ? `${bare.slice(0, name.index + name[0].length)}=${HIDDEN}` : HIDDEN;
  }
  if (!SIGNED.test(open)) return bare;
  const query = QUERY.exec(bare) ?? SIGNED.exec(bare);
  return query ? bare.slice(0, query.index) : HIDDEN;
};

/** Where none of these is, there is nothing to replace: in nearly every text. */
const MAY_HOLD_SECRET = /:\\{0,4}\/|token|[=%]|\\u00|\/\/[^\s/]*@/i;

/** Text without tokens, and with no address in it that opens something; all else stays as it is. */
export const cleanText = (text: string): string =>
  MAY_HOLD_SECRET.test(text)
    ? text
        .replace(ADDRESS, cutAddress)
        .replace(TOKEN_TAG, `$1${HIDDEN}`)
        .replace(TOKEN_TEXT, (_, name: string, quote?: string) => `${name}${quote ? `'${HIDDEN}'` : `"${HIDDEN}"`}`)
        .replace(WORD, cutWord)
    : text;
