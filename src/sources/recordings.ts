import type { ObjectPlace } from "../core/media.ts";

/** What an object of a bucket is by the ending of its key; undefined for what is no recording. */
export const recordingKind = (key: string): "file" | "playlist" | "segment" | undefined => {
  const [, ending = ""] = /\.([a-z0-9]{1,5})$/i.exec(key) ?? [];
  const name = ending.toLowerCase();
  if (name === "m3u8") return "playlist";
  if (name === "ts") return "segment";
  return /^(mp4|mp3|m4a|aac|wav|ogg|flac|webm)$/.test(name) ? "file" : undefined;
};

/** A playlist longer than this is none of a recording, in bytes: a day has 2,880 segments of 30 s. */
export const PLAYLIST_BYTES = 4 * 1024 * 1024;
const MOST_SEGMENTS = 20_000;

/**
The objects that a playlist names, relative to its own key. Entries that lead out of the bucket are left out.

@returns undefined when the text is no playlist, or names too many
*/
export const playlistEntries = (text: string, { bucket, key }: ObjectPlace): ObjectPlace[] | undefined => {
  if (!/^\ufeff?#EXTM3U\b/.test(text)) return undefined;
  const names = text.split(/\r?\n/).flatMap((line) => {
    const name = line.trim();
    if (name === "") return [];
    if (!name.startsWith("#")) return [name];
    // The first part of an fMP4 stream stands in a tag of its own.
    return /^#EXT-X-MAP:.*\bURI="([^"]+)"/.exec(name)?.[1] ?? [];
  });
  if (names.length > MOST_SEGMENTS) return undefined;
  const entries = new Map<string, ObjectPlace>();
  for (const name of names) {
    const entry = keyOf(name, key);
    if (entry !== undefined) entries.set(entry, { bucket, key: entry });
  }
  return [...entries.values()];
};

/** The key of an entry, by the rules of relative addresses; undefined when it is on another host. */
const keyOf = (name: string, playlist: string): string | undefined => {
  if (/^[a-z][a-z0-9+.-]*:|^\/\//i.test(name)) return undefined;
  const [path = ""] = name.split(/[?#]/);
  const folders = path.startsWith("/") ? [] : playlist.split("/").slice(0, -1);
  for (const part of path.split("/").map(decoded)) {
    if (part === "..") folders.pop();
    else if (part !== "." && part !== "") folders.push(part);
  }
  return folders.length === 0 ? undefined : folders.join("/");
};

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};

/** Parts of a name that are looked at, and how many of them one channel's name may have. */
const MOST_PARTS = 24;

/**
What may be the channel in the key of a recording: `TASK/APP_CHANNEL_USER_TIME.mp4`, where whoever set it up chose the order.
Each part of the name between `/` and `_`, and each run of parts, as channels may have `_` in their names.

Source: the vendor's page about the names of recorded files.
*/
export const possibleChannels = (key: string): Set<string> => {
  const found = new Set<string>();
  for (const folder of key.split("/").slice(-4)) {
    const parts = folder
      .replace(/\.[a-z0-9]{1,5}$/i, "")
      .split("_")
      .slice(0, MOST_PARTS);
    for (let from = 0; from < parts.length; from += 1)
      for (let to = from + 1; to <= parts.length; to += 1) found.add(parts.slice(from, to).join("_"));
  }
  found.delete("");
  return found;
};
