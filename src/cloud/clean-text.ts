/** An address of any scheme, also with escaped slashes as in some JSON. The bound of the scheme keeps time linear. */
const ADDRESS = /[a-z][a-z0-9+.-]{0,20}:(?:\\{0,4}\/){2}(?:[^\s"'<>\\]|\\{1,4}\/)+/gi;
/** Parameters that hold a signature, a token or a key. */
const SIGNED =
  /[?&;#](?:[\w-]*signature|expires|security-?token|[\w-]*access_?key_?id|x-(?:oss|amz)-[\w-]+|auth_?key|[\w-]*token|sign?)=/i;

/** Text between blanks, quotes and tags; it may be an address without a scheme. */
const WORD = /[^\s"'<>]+/g;
/** The beginning of a query or fragment, at any level of encoding. */
const QUERY = /[?#]|%(?:25)*(?:3F|23)|\\{1,8}u00(?:3f|23)/i;

const HIDDEN = "[hidden]";
const TOKEN = "auth[_-]?token";
/** The token in text that is not JSON, or in incomplete JSON. */
const TOKEN_TEXT = new RegExp(
  `(${TOKEN}[\\\\"']*\\s*[:=]\\s*)(?:\\\\*"(?:[^"\\\\]|\\\\(?!"))*\\\\*"?|(\\\\*')(?:[^'\\\\]|\\\\(?!'))*\\\\*'?|[^\\s,;}&"'<]+)`,
  "gi",
);
/** The token in XML, also with its angle brackets as entities. The bound of the attributes keeps time linear. */
const TOKEN_TAG = new RegExp(
  `((?:<|&lt;|&#60;)(?:[\\w.-]{1,60}:)?${TOKEN}(?:\\s[^<>]{0,300})?(?:>|&gt;|&#62;))(?:\\s*<!\\[CDATA\\[(?:[^\\]]|\\](?!\\]>))*(?:\\]\\]>)?|(?:(?!&lt;|&#60;)[^<])+)`,
  "gi",
);
const TOKEN_ATTRIBUTE = new RegExp(`${TOKEN}[\\\\"'\\s]*[:=>]`, "i");
const TOKEN_NAME = new RegExp(TOKEN, "i");

/** Removes user and password from an address, also from an address that is a parameter of it. */
export const withoutUsers = (address: string): string =>
  address
    .replace(/(:(?:\\{0,4}\/){2})[^/\\?#&;]*@/g, "$1")
    .replace(
      /(%(?:25){0,4}3A(?:%(?:25){0,4}2F){2})(?:(?!%(?:25){0,4}(?:2F|3F|23))[^\s/?#&;]){1,300}?%(?:25){0,4}40/gi,
      "$1",
    );

/** The same for an address without a scheme, but only with a password, because two slashes also begin comments. */
const withoutPasswords = (word: string): string =>
  word.replace(/(^|[^:\\/])(\/\/)[^\s/\\?#&;@:]*:[^\s/\\?#&;@]*@/g, "$1$2");

/** An address without user and password, and without a query or fragment that holds a secret. */
const cutAddress = (address: string): string => {
  const bare = withoutUsers(address);
  const place = bare.split(/[?#]/, 1)[0] ?? "";
  const rest = bare.slice(place.length);
  if (!SIGNED.test(decoded(rest))) return bare;
  const query = rest.split("#", 1)[0] ?? "";
  return SIGNED.test(decoded(query)) ? place : place + query;
};

/** Decodes all levels of percent-encoding and the escapes of JSON and XML. Used for tests only, never as output. */
const decoded = (word: string): string =>
  /[%\\&]/.test(word)
    ? word
        .replace(/%(?:25)+(?=[0-9a-f]{2})/gi, "%")
        .replace(/(?:%|\\{1,8}u00)([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
        .replace(/&(?:amp|#38|#x26);/gi, "&")
    : word;

/** Removes secrets from a word that is, or contains, an address without a scheme or in some encoding. */
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

/** A fast test: most texts have none of these, so nothing has to be replaced. */
const MAY_HOLD_SECRET = /:\\{0,4}\/|token|[=%]|\\u00|\/\/[^\s/]*@/i;

/** The text without tokens and without secrets in its addresses. Everything else stays unchanged. */
export const cleanText = (text: string): string =>
  MAY_HOLD_SECRET.test(text)
    ? text
        .replace(ADDRESS, cutAddress)
        .replace(TOKEN_TAG, `$1${HIDDEN}`)
        .replace(TOKEN_TEXT, (_, name: string, quote?: string) => `${name}${quote ? `'${HIDDEN}'` : `"${HIDDEN}"`}`)
        .replace(WORD, cutWord)
    : text;
