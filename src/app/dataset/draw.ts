import type { StoredConversation } from "../../core/records.ts";
import type { Sample } from "../../core/sample.ts";
import { type ChoiceStep, createChoice, lengthGroup } from "../../transforms/choice.ts";
import { createSampler } from "../../transforms/shuffle.ts";
import type { DatasetRequest } from "./request.ts";

/** Which samples are in the set. */
export interface Draw {
  isDrawn(sample: Pick<Sample, "id">): boolean;
  /** What left a sample out that is not drawn. */
  stepOf(sample: Pick<Sample, "id">): ChoiceStep;
}

export interface Drawing {
  add(sample: Sample, record: StoredConversation): void;
  end(): Draw;
}

/** Everything is drawn. */
export const ALL_DRAWN: Draw = { isDrawn: () => true, stepOf: () => "sample" };

type DrawRequest = Pick<DatasetRequest, "seed" | "sample" | "perAgent" | "balance">;

/** Draws the samples of `--sample`, `--per-agent` and `--balance`, once all of them were added; undefined without these. */
export const createDrawing = ({ seed, sample: most, perAgent, balance }: DrawRequest): Drawing | undefined => {
  if (perAgent === undefined && balance === undefined)
    return most === undefined ? undefined : sampleDrawing(seed, most);
  const { add, choose } = createChoice(seed, { perAgent, balance: balance !== undefined, most });
  const groupOf = (sample: Sample, agent: string): string =>
    balance === "agent" ? agent : balance === "language" ? sample.language : lengthGroup(sample.messages);
  return {
    add: (sample, { agentId = "" }) => add({ id: sample.id, agent: agentId, group: groupOf(sample, agentId) }),
    end: () => {
      const choice = choose();
      return { isDrawn: ({ id }) => choice(id) === undefined, stepOf: ({ id }) => choice(id) ?? "sample" };
    },
  };
};

/** Holds only the ids that are drawn. */
const sampleDrawing = (seed: string, most: number): Drawing => {
  const sampler = createSampler<string>(seed, most);
  return {
    add: ({ id }) => void sampler.add(id, id),
    end: () => {
      const drawn = new Set(sampler.values());
      return { isDrawn: ({ id }) => drawn.has(id), stepOf: () => "sample" };
    },
  };
};
