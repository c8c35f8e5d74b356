import type { Product } from "./rpc.ts";

/** Tells whose the keys are. */
export const createSts = (account: string): Product => ({
  name: "sts",
  version: "2015-04-01",
  isMetered: false,
  actions: {
    GetCallerIdentity: () => ({
      AccountId: account,
      Arn: `acs:ram::${account}:user/emulator`,
      IdentityType: "RAMUser",
      PrincipalId: "200000000000000001",
      UserId: "200000000000000001",
    }),
  },
});
