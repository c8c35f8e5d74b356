import type { ScoreCache } from "../core/score-cache.ts";
import { type Db, makeFile, openWith, transaction, versionBeside } from "./open.ts";
import { explainErrors } from "./trouble.ts";

/** "CARS": marks a SQLite file as the scores of an archive. */
const APPLICATION_ID = 0x43415253;
const VERSION = 1;

// Neither texts nor ids: the digest of a question and a number.
const TABLES = `
  create table scores (digest blob primary key, score real not null) strict, without rowid;
  pragma application_id = ${APPLICATION_ID};
  pragma user_version = ${VERSION}`;

/**
Opens a cache of scores, and creates it if there is none.

Several processes may use it at once: each call is one short transaction.

@throws UsageError when the file is something else, or a newer version wrote it
*/
export const openScores = async (path: string): Promise<ScoreCache> => {
  makeFile(path);
  const db = openWith(path, (opened) => {
    checkVersion(opened, path);
    opened.exec("pragma journal_mode = WAL");
    // What a power failure loses is asked again.
    opened.exec("pragma synchronous = NORMAL");
    transaction(opened, () => {
      if (checkVersion(opened, path) === 0) opened.exec(TABLES);
    });
  });
  return explainErrors(assemble(db), path);
};

/** 0 for a file without tables. @throws UsageError */
const checkVersion = (db: Db, path: string): number =>
  versionBeside(db, path, { what: "scores", applicationId: APPLICATION_ID, latest: VERSION });

const assemble = (db: Db): ScoreCache => {
  const find = db.prepare(
    `select lower(hex(digest)) as digest, score from scores
     where digest in (select unhex(value) from json_each(?))`,
  );
  const insert = db.prepare("insert or replace into scores (digest, score) values (unhex(?), ?)");
  return {
    get: async (digests) => {
      const rows = find.all(JSON.stringify(digests)) as { digest: string; score: number }[];
      return new Map(rows.map(({ digest, score }) => [digest, score]));
    },
    put: async (scores) =>
      transaction(db, () => {
        for (const [digest, score] of scores) insert.run(digest, score);
      }),
    close: async () => void db.close(),
  };
};
