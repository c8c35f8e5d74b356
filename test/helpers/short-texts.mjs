// Loaded before the command (node --import): JSON.stringify makes no text longer than LONGEST characters, as V8 makes none
// of more than some 500 million. So a conversation that no format can write needs no gigabyte of memory.
const longest = Number(process.env.LONGEST ?? Number.POSITIVE_INFINITY);
const { stringify } = JSON;

JSON.stringify = (...args) => {
  const text = stringify(...args);
  if (text !== undefined && text.length > longest) throw new RangeError("Invalid string length");
  return text;
};
