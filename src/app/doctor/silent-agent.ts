/** The agent lists no call, and the archive has none of it. */
export class SilentAgent extends Error {
  override readonly name = "SilentAgent";
}
