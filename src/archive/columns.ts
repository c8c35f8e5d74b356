/**
The columns of a query whose rows come as JSON lists, written once: for the query, and to read its rows.

@param expressions the SQL of each column, by the name that it has in a row
*/
export const jsonColumns = <Row extends object>(expressions: { [Name in keyof Row]-?: string }) => {
  const names = Object.keys(expressions) as (keyof Row)[];
  return {
    /** For `json_array(…)`. */
    sql: Object.values<string>(expressions).join(", "),
    /** @param from where in the line the first column is */
    row: (line: readonly unknown[], from = 0): Row => {
      const row = {} as Row;
      // Key by key in one order, so that all rows have one hidden class.
      for (let at = 0; at < names.length; at += 1) row[names[at] as keyof Row] = line[from + at] as Row[keyof Row];
      return row;
    },
  };
};
