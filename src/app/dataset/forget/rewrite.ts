import { UsageError } from "../../../core/errors.ts";
import type { JsonObject } from "../../../core/transcript.ts";
import { CARD, datasetCard } from "../../../reports/card.ts";
import type { DataFile, DatasetFacts } from "../../../reports/facts.ts";
import { REPORT_HTML, REPORT_JSON, reportHtml, reportJson } from "../../../reports/report.ts";
import type { FileSet } from "../../../sinks/file-set.ts";
import { completeManifest } from "../../../sinks/manifest.ts";
import { VERSION } from "../../version.ts";
import { countsCalls } from "../decide.ts";
import { presetSidecars } from "../preset-sidecars.ts";
import { DROPPED, PROVENANCE } from "../set-folder.ts";
import { rewriteFile, rowsIn } from "./data-files.ts";
import { linesIn, type SetRow } from "./find.ts";
import { createReplay } from "./replay.ts";
import { isUnchanged, objectIn, type StoredSet } from "./set.ts";
import { readReport, type StoredReport } from "./stored-report.ts";

/** Sidecar lines that are added before they are written, in characters. */
const PIECE = 256 * 1024;

/**
Writes the files of a set that change, and publishes them.

@param gone the qualified ids of the conversations to leave out
@param rows their rows
*/
export const rewriteSet = async (
  set: StoredSet,
  gone: ReadonlySet<string>,
  rows: readonly SetRow[],
  files: FileSet,
): Promise<void> => {
  const { root, manifest } = set;
  const report = await readReport(root, root);
  const places = createPlaces(rows);
  const replay = createReplay(report.seed, countsCalls(report));
  await rewriteSidecars(set, gone, places, replay, files);
  const dataFiles = await rewriteData(root, report.files, places, files);
  await showExamples(root, replay, places);
  const facts = factsOf(report, replay, dataFiles);
  for (const { name, text } of [
    ...presetSidecars(report.presets, dataFiles),
    { name: CARD, text: datasetCard(facts) },
    { name: REPORT_JSON, text: reportJson(facts) },
    { name: REPORT_HTML, text: await reportHtml(facts, replay.stats.examples()) },
  ])
    (await files.file(name)).add(text);
  if (!(await isUnchanged(set))) throw new UsageError(`${root} was changed meanwhile: run the command again.`);
  const written = new Set(files.names());
  const emptied = report.files.filter(({ name }) => !dataFiles.some((file) => file.name === name));
  const stays = set.files.filter(({ name }) => !written.has(name) && !emptied.some((file) => file.name === name));
  const { files: _, ...before } = manifest.json;
  await files.publish((all) => completeManifest(manifestFacts(before, facts, gone), all), {
    replaces: { files: new Set(set.files.map(({ name }) => name)), facts: before },
    stays,
    completable: true,
  });
};

type Places = ReturnType<typeof createPlaces>;

/** Which rows go, and where the others are afterwards. */
const createPlaces = (rows: readonly SetRow[]) => {
  const gone = new Map<string, Set<number>>();
  for (const { file, row } of rows) gone.set(file, (gone.get(file) ?? new Set()).add(row));
  const sorted = new Map([...gone].map(([file, numbers]) => [file, Uint32Array.from(numbers).sort()]));
  return {
    isTouched: (file: string): boolean => gone.has(file),
    stays: (file: string, row: number): boolean => gone.get(file)?.has(row) !== true,
    /** The number of a row that stays, once the others are gone. */
    after: (file: string, row: number): number => row - countBelow(sorted.get(file) ?? [], row),
  };
};

/** How many numbers of a sorted list are below this one. */
const countBelow = (sorted: ArrayLike<number>, number: number): number => {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] ?? 0) < number) low = middle + 1;
    else high = middle;
  }
  return low;
};

const rewriteSidecars = async (
  { root }: StoredSet,
  gone: ReadonlySet<string>,
  places: Places,
  replay: ReturnType<typeof createReplay>,
  files: FileSet,
): Promise<void> => {
  for (const name of [PROVENANCE, DROPPED]) {
    const copy = await files.file(name);
    let waiting = 0;
    for await (const before of linesIn(root, name)) {
      if (gone.has(String(before.conversation))) continue;
      const line = name === PROVENANCE ? moved(before, places) : withoutTwin(before, gone);
      if (name === PROVENANCE) replay.written(line);
      else replay.dropped(line);
      const text = `${JSON.stringify(line)}\n`;
      copy.add(text, 1);
      waiting += text.length;
      if (waiting < PIECE) continue;
      waiting = 0;
      await copy.flush();
    }
  }
};

const moved = (line: JsonObject, places: Places): JsonObject => ({
  ...line,
  row: places.after(String(line.file), Number(line.row)),
});

/** A line does not name a conversation that is gone as the one that another is a copy of. */
const withoutTwin = (line: JsonObject, gone: ReadonlySet<string>): JsonObject => {
  if (typeof line.of !== "string" || !gone.has(line.of.replace(/#\d+$/, ""))) return line;
  const { of: _, ...rest } = line;
  return rest;
};

const rewriteData = async (
  root: string,
  before: readonly DataFile[],
  places: Places,
  files: FileSet,
): Promise<DataFile[]> => {
  const after: DataFile[] = [];
  for (const file of before) {
    const { name } = file;
    if (!places.isTouched(name)) {
      after.push(file);
      continue;
    }
    const copy = await files.file(name);
    await rewriteFile(root, name, copy, (row) => places.stays(name, row));
    await copy.seal();
    const { rows, bytes } = copy;
    if (rows > 0) after.push({ ...file, rows, bytes });
    // Readers of folders crash on an empty file.
    else await files.drop(name);
  }
  return after;
};

/** Finds the rows of the report's examples in the files as they were. */
const showExamples = async (root: string, replay: ReturnType<typeof createReplay>, places: Places): Promise<void> => {
  const wanted = new Map<string, Set<number>>();
  for (const { file, row } of replay.shown()) wanted.set(file, (wanted.get(file) ?? new Set()).add(row));
  for (const [file, rows] of wanted) {
    let left = rows.size;
    for await (const { row, value } of rowsIn(root, file)) {
      if (!places.stays(file, row)) continue;
      const after = places.after(file, row);
      if (!rows.has(after)) continue;
      replay.show({ file, row: after }, value());
      left -= 1;
      if (left === 0) break;
    }
  }
};

const factsOf = (
  { task, policies, splits, excluded, redacts }: StoredReport,
  { stats }: ReturnType<typeof createReplay>,
  files: readonly DataFile[],
): DatasetFacts =>
  stats.facts({
    tool: `callarchive ${VERSION}`,
    task,
    policies,
    files,
    splits,
    redacts,
    ...(excluded && { excluded }),
  });

const manifestFacts = (before: JsonObject, facts: DatasetFacts, gone: ReadonlySet<string>): JsonObject => {
  const { calls, samples, tool } = facts;
  const { ids, ...selection } = objectIn(before, "selection");
  const left = Array.isArray(ids) ? ids.filter((id) => !isGone(String(id), gone)) : undefined;
  return {
    ...before,
    tool,
    selection: { ...selection, ...(left && { ids: left }) },
    dataset: { ...objectIn(before, "dataset"), calls, samples },
  };
};

/** Whether an id of the selection, as it was written, can be one of these. */
const isGone = (id: string, gone: ReadonlySet<string>): boolean =>
  [...gone].some((other) =>
    [other, other.slice(other.indexOf(":") + 1)].some((each) => each.toLowerCase() === id.toLowerCase()),
  );
