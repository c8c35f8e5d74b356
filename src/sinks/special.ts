import { constants, createWriteStream, fstatSync, openSync } from "node:fs";
import { open } from "node:fs/promises";
import { connect, Socket } from "node:net";
import type { Writable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import type { Special } from "./places.ts";

/** Time between two attempts to open a pipe without a reader, in milliseconds. */
const POLL_MS = 50;

/**
Opens a pipe, a device, a socket or a descriptor for writing. Opening a pipe waits for its reader.

@param closing stops the wait
@param onWaiting is called when the wait begins
@throws the reason of `closing`
*/
export const openSpecial = async (place: Special, closing: AbortSignal, onWaiting: () => void): Promise<Writable> => {
  if (place.kind === "descriptor") return openDescriptor(place.fd, closing, onWaiting);
  if (place.kind === "pipe") return openPipe(place.path, closing, onWaiting);
  if (place.kind === "socket") return openSocket(place.path);
  // Without O_CREAT, so that a device that has just disappeared does not become a file.
  return (await open(place.path, constants.O_WRONLY)).createWriteStream();
};

const openDescriptor = (fd: number, closing: AbortSignal, onWaiting: () => void): Promise<Writable> | Writable => {
  const stats = fstatSync(fd);
  if (stats.isFIFO()) return openPipe(`/dev/fd/${fd}`, closing, onWaiting);
  if (stats.isSocket()) return new Socket({ fd, readable: false, writable: true });
  return createWriteStream("", { fd, autoClose: false });
};

/** Opens a pipe without blocking, because a thread that blocks in `open` cannot be stopped and keeps the process. */
const openPipe = async (path: string, closing: AbortSignal, onWaiting: () => void): Promise<Writable> => {
  for (let isReported = false; ; isReported = true) {
    try {
      const fd = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
      return new Socket({ fd, readable: false, writable: true });
    } catch (error) {
      // There is no reader yet.
      if ((error as NodeJS.ErrnoException).code !== "ENXIO") throw error;
    }
    if (!isReported) onWaiting();
    await delay(POLL_MS, undefined, { signal: closing }).catch(() => undefined);
    closing.throwIfAborted();
  }
};

const openSocket = (path: string): Promise<Writable> =>
  new Promise((done, fail) => {
    const socket = connect({ path });
    socket.once("error", fail);
    socket.once("connect", () => {
      socket.off("error", fail);
      // Incoming data is discarded, so that the other side can continue.
      socket.resume();
      done(socket);
    });
  });
