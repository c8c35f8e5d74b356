/** A process that holds an archive's lock or asks for it. */
export interface Owner {
  pid: number;
  host: string;
  /** The scope of process ids: the machine's boot and its pid namespace. */
  processSpace?: string;
  /** The process's start as its system counts it, because a process id may be used again. */
  processStarted?: string;
}

/** The owner of the lock, and when the lock expires unless it is renewed. */
export interface Holder extends Owner {
  startedAt: string;
  expiresAt: string;
}

export interface Lockable {
  /**
  Makes this connection the archive's only writer. Resolves to the holder when another one has the lock.

  A lock is taken over when it has expired, or when `isDead` says that its owner has ended. `isDead` is only called for
  an owner on the same host in the same process space. A lock lasts at most one minute from now, even if the clock of
  its owner was ahead.
  */
  acquire(owner: Owner, isDead: (owner: Owner) => boolean): Promise<Holder | undefined>;
  /** Renews the lock. @throws LockLost */
  renew(): Promise<void>;
  release(): Promise<void>;
  /** The holder of the lock, also after it has expired. */
  holder(): Promise<Holder | undefined>;
  /** Removes the lock of this holder; false when another one holds it now. */
  unlock(holder: Holder): Promise<boolean>;
}

/** The lock of an archive that is not opened for anything else. */
export interface ArchiveLock extends Pick<Lockable, "holder" | "unlock"> {
  close(): Promise<void>;
}

/** Another run has taken over the archive, because this run did not renew its lock in time. */
export class LockLost extends Error {
  override readonly name = "LockLost";
}
