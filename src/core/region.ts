/** Where conversational AI was first offered, and where most accounts have their agents. */
export const DEFAULT_REGION = "cn-shanghai";
