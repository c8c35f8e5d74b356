type Change = (text: string) => string;

const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d[\d.eE+-]*/g;

/** Changes a text. JSON stays JSON: its strings are unescaped for the change, and a changed number becomes a string. */
export const changeWithin = (source: string, text: Change, plain = text): string => {
  if (!isJson(source)) return plain(source);
  return source.replace(TOKEN, (token) => {
    const before = token.startsWith('"') ? String(JSON.parse(token)) : token;
    const after = text(before);
    return after === before ? token : JSON.stringify(after);
  });
};

const isJson = (text: string): boolean => {
  if (!/^\s*[[{]/.test(text)) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
};
