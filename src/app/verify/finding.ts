/** Something that is not as it should be: where, and what. */
export interface Finding {
  where: string;
  what: string;
}
