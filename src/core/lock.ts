/** A process that holds or wants an archive. */
export interface Owner {
  pid: number;
  host: string;
  /** Where process ids mean something: the boot of the machine and its namespace of process ids. */
  processSpace?: string;
  /** When the process began, as its system counts: an id may be given again. */
  processStarted?: string;
}

/** Who holds an archive, and until when if nothing is heard of them. */
export interface Holder extends Owner {
  startedAt: string;
  expiresAt: string;
}

export interface Lockable {
  /**
  Makes this connection the archive's only writer, or tells who is.

  `isDead` says that an owner has ended, and is only asked of one on the same host and in the same process space; its
  lock, and any that has expired, is taken over. A lock counts for at most a minute from now, whatever its owner's clock
  said.
  */
  acquire(owner: Owner, isDead: (owner: Owner) => boolean): Promise<Holder | undefined>;
  /** Puts off the expiry. @throws LockLost */
  renew(): Promise<void>;
  release(): Promise<void>;
  /** Who holds the archive, also after the lock has expired. */
  holder(): Promise<Holder | undefined>;
  /** Takes the lock from a holder; false when it is another's by now. */
  unlock(holder: Holder): Promise<boolean>;
}

/** Another run has taken the archive over: this one was silent for too long. */
export class LockLost extends Error {
  override readonly name = "LockLost";
}
