// The build bundles this file, because node-sql-parser takes 89 MB installed, and only these three dialects are used.
import mysql from "node-sql-parser/build/mysql.js";
import postgresql from "node-sql-parser/build/postgresql.js";
import trino from "node-sql-parser/build/trino.js";

/**
The service does not document its dialect. Its tables have a catalog, as in Trino; MySQL and PostgreSQL are the other two
families that warehouses follow.
*/
const PARSERS = [trino, mysql, postgresql].map(({ Parser }) => new Parser());

/** Whether a text is SQL with at least one statement, in one of the dialects. It runs nothing and knows no tables. */
export const parsesAsSql = (text: string): boolean => PARSERS.some((parser) => hasStatement(() => parser.astify(text)));

const hasStatement = (parse: () => unknown): boolean => {
  try {
    // A text of comments or semicolons alone gives empty lists.
    return [parse()].flat(Number.POSITIVE_INFINITY).some((statement) => statement !== null && statement !== undefined);
  } catch {
    // A syntax error, or brackets nested deeper than the stack.
    return false;
  }
};
