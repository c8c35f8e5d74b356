import { UsageError } from "../../core/errors.ts";
import { canMask, conflicts, isPreset, type Preset, presets } from "../../presets/index.ts";
import { needsOf, type Policy } from "../../transforms/curate/curate.ts";
import { DEFAULT_PRESETS } from "../defaults.ts";
import type { DatasetRequest } from "./request.ts";

/**
The presets of a request, and what some of them ignore of it.

@throws UsageError for a preset that cannot express a policy, and for an option that every preset ignores
*/
export const presetsFor = (request: DatasetRequest, policy: Policy): { chosen: Preset[]; warnings: string[] } => {
  const needs = needsOf(policy);
  const chosen = [...new Set(request.presets ?? DEFAULT_PRESETS)].map((name): Preset => {
    if (!isPreset(name))
      throw new UsageError(`There is no preset "${name}". There are: ${Object.keys(presets).join(", ")}.`);
    const preset: Preset = presets[name];
    const [lack] = conflicts(preset, needs);
    if (lack) throw new UsageError(whyNot(name, lack, request));
    if (request.gzip && preset.plainOnly)
      throw new UsageError(`${preset.reader} does not read compressed files: leave out --gzip.`);
    return preset;
  });
  const warnings = [
    ...ignored("--content-parts", request.contentParts === true, chosen, ({ can }) => can.parts === true),
    ...ignored(`--think ${request.think}`, request.think !== undefined, chosen, ({ can }) => can.think === true),
    ...learnedAgain(policy, chosen),
  ];
  return { chosen, warnings };
};

const whyNot = (
  name: string,
  lack: ReturnType<typeof conflicts>[number],
  { greeting, interrupted }: DatasetRequest,
): string => {
  if (lack !== "masking" || greeting === "mask")
    return `${name} cannot express --greeting ${greeting}; it would drop every call, or learn the greeting. Use --greeting drop or system.`;
  return `${name} cannot express --interrupted ${interrupted}, because it learns every answer. Use --interrupted auto or clause, or a preset with loss per turn.`;
};

/** @throws UsageError if every preset ignores the option */
const ignored = (
  option: string,
  isGiven: boolean,
  chosen: readonly Preset[],
  knows: (preset: Preset) => boolean,
): string[] => {
  const others = chosen.filter((preset) => !knows(preset));
  if (!isGiven || others.length === 0) return [];
  const names = namesOf(others);
  if (others.length < chosen.length)
    return [`Some presets cannot express ${option}, and are written without it: ${names}.`];
  const able = Object.values(presets as Record<string, Preset>).filter(knows);
  throw new UsageError(`${names} cannot express ${option}. It is for ${namesOf(able)}.`);
};

/** A sample of one agent turn holds the earlier ones, too. */
const learnedAgain = ({ expand }: Policy, chosen: readonly Preset[]): string[] => {
  const others = expand === "turn" ? chosen.filter((preset) => !canMask(preset)) : [];
  if (others.length === 0) return [];
  const hint = others.some(({ name }) => name === "llama-factory") ? " (LLaMA-Factory: `mask_history: true`)" : "";
  return [
    `With --expand turn, each answer is also in the samples of later turns, and ${namesOf(others)} cannot exclude it there: train only on the last turn${hint}, or use a preset with loss per turn.`,
  ];
};

const namesOf = (chosen: readonly Preset[]): string => chosen.map(({ name }) => name).join(", ");
