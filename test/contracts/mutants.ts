/** Thrown by mutants that refuse what they must do. */
export class Broken extends Error {}

/** Whether an error says that a promise was broken. Any other is a fault of the mutant itself. */
const isCaught = (error: unknown): boolean =>
  error instanceof Broken ||
  (error instanceof Error && (error.name === "AssertionError" || error.message.startsWith("Property failed")));

/** Runs a check on a mutant. @throws Error when the check does not catch it. @param breaks what is wrong with the mutant */
export const expectCaught = async (breaks: string, check: () => Promise<void>): Promise<void> => {
  const error = await check().then(
    () => new Error("The contract was kept."),
    (reason: unknown) => reason,
  );
  if (!isCaught(error)) throw new Error(`Not caught: ${breaks}`, { cause: error });
};
