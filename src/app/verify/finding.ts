/** A fault: where it is, and what is wrong. */
export interface Finding {
  where: string;
  what: string;
}
