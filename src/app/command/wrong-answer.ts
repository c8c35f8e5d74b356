import { isObject, type JsonObject } from "../../core/transcript.ts";

/** An answer that cannot be used. The message says why, and quotes nothing of it. */
export class WrongAnswer extends Error {
  override readonly name = "WrongAnswer";
}

/** An answer, whose other keys are not checked yet. @throws WrongAnswer */
export const parseAnswer = (line: string): JsonObject & { id: number } => {
  const answer = parsed(line);
  if (!isObject(answer)) throw new WrongAnswer("is no JSON object");
  const { id } = answer;
  if (typeof id !== "number" || !Number.isSafeInteger(id)) throw new WrongAnswer("has no id");
  return { ...answer, id };
};

const parsed = (line: string): unknown => {
  try {
    return JSON.parse(line);
  } catch {
    throw new WrongAnswer("is not JSON");
  }
};
