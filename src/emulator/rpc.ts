import { ApiError } from "./api-error.ts";

/** Answers a call. @throws ApiError for calls that the service refuses */
export type Action = (parameters: URLSearchParams) => Record<string, unknown>;

/** A cloud product: its actions, all of one API version. */
export interface Product {
  /** As RAM policies write it, for example "ice". */
  readonly name: string;
  readonly version: string;
  readonly actions: Readonly<Record<string, Action>>;
  /** Whether its calls count for the quota and meet the faults `throttle` and `error`. */
  readonly isMetered: boolean;
}

/** The actions of all products. @param deny actions that are answered with 403 Forbidden.RAM */
export const createRpc = (products: readonly Product[], deny: readonly string[]) => {
  const known = new Map(
    products.flatMap((product) =>
      Object.entries(product.actions).map(([action, run]) => [action, { product, run }] as const),
    ),
  );
  return {
    knows: (action: string): boolean => known.has(action),
    isMetered: (action: string): boolean => known.get(action)?.product.isMetered ?? true,
    run: (action: string, version: string, parameters: URLSearchParams): Record<string, unknown> => {
      const found = known.get(action);
      if (!found) throw new ApiError(404, "InvalidAction.NotFound", "The specified action does not exist.");
      const { product, run } = found;
      if (version !== product.version)
        throw new ApiError(400, "InvalidVersion", `The specified version is not valid; use ${product.version}.`);
      if (deny.includes(action)) {
        const permission = `${product.name}:${action}`;
        const message = `User not authorized to operate on the specified resource: ${permission}.`;
        throw new ApiError(403, "Forbidden.RAM", message);
      }
      return run(parameters);
    },
  };
};

export type Rpc = ReturnType<typeof createRpc>;
