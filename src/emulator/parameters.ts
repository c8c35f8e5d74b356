import { ApiError } from "./api-error.ts";

const utc = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;

export const invalid = (name: string, rule: string): ApiError =>
  new ApiError(400, `InvalidParameter.${name}`, `The parameter ${name} is not valid: ${rule}.`);

/** @throws ApiError Missing<name> when the parameter is absent or empty */
export const required = (parameters: URLSearchParams, name: string): string => {
  const text = parameters.get(name);
  if (!text) throw new ApiError(400, `Missing${name}`, `${name} is mandatory for this action.`);
  return text;
};

/** A parameter's text; undefined when it is absent or empty. */
export const optional = (parameters: URLSearchParams, name: string): string | undefined =>
  parameters.get(name) || undefined;

/** A whole number from 1 to `most`. @throws ApiError InvalidParameter.<name> for anything else */
export const whole = (parameters: URLSearchParams, name: string, fallback: number, most: number): number => {
  const text = parameters.get(name) ?? String(fallback);
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < 1 || value > most) throw invalid(name, `it must be 1 to ${most}`);
  return value;
};

/** Seconds since 1970, from an ISO 8601 time. */
export const isoSeconds = (parameters: URLSearchParams, name: string, fallback: number): number => {
  const text = optional(parameters, name);
  if (text === undefined) return fallback;
  const at = utc.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(at)) throw invalid(name, "use UTC, like 2023-01-01T00:00:00Z");
  return at / 1000;
};

/** Milliseconds since 1970, from a whole number. */
export const milliseconds = (parameters: URLSearchParams, name: string, fallback: number): number => {
  const text = optional(parameters, name);
  if (text === undefined) return fallback;
  if (!/^\d{1,15}$/.test(text)) throw invalid(name, "use milliseconds since 1970, like 1752451200000");
  return Number(text);
};
