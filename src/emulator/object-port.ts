/** An object for the object storage. */
export interface NewObject {
  readonly bucket: string;
  readonly key: string;
  /** Its content. */
  readonly body?: Uint8Array;
  /** Its size, for an object without a `body`: one whose bytes are computed while it is sent. */
  readonly bytes?: number;
  /** The media type. */
  readonly type?: string;
  readonly modifiedAt?: Date;
}

/** The object storage, as far as callbacks, dialogues and recordings need it. */
export interface ObjectPort {
  /** Stores an object, or replaces it. @returns its address, without signature */
  put(object: NewObject): string;
  /** A signed address of an object, which expires after so many seconds. */
  link(bucket: string, key: string, seconds: number): string;
}
