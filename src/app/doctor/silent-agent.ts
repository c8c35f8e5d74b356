/** The agent has listed no call, and the archive has no call of this agent. */
export class SilentAgent extends Error {
  override readonly name = "SilentAgent";
}
