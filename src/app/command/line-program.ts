import { type ChildProcessByStdio, spawn } from "node:child_process";
import { basename } from "node:path";
import type { Readable, Writable } from "node:stream";
import type { JsonObject } from "../../core/transcript.ts";
import type { Host } from "../context.ts";
import type { CommandLine } from "./command-line.ts";
import { parseAnswer, WrongAnswer } from "./wrong-answer.ts";

/** The command of the user failed, or its answers cannot be trusted: the run ends. */
export class CommandFailed extends Error {
  override readonly name = "CommandFailed";
}

/** What a command is asked, and how its answers are read. */
export interface Dialog<Question, Answer> {
  /** For messages: `redact command`. */
  name: string;
  /** What waits for an answer, for messages: `texts`. */
  things: string;
  /** The flag that sets the timeout, for messages. */
  timeoutFlag: string;
  /** The question's keys beside its id. */
  ask(question: Question): JsonObject;
  /** @throws WrongAnswer */
  read(answer: JsonObject, question: Question): Answer;
}

/** The longest line of an answer, in bytes. */
const LONGEST_LINE = 16 * 1024 * 1024;
/** How long the command may take to end after its input has ended, in milliseconds. */
const END_MS = 5_000;
/** The command reads texts, so it is not given what reads the cloud. */
const WITHHELD = /^(?:ALIBABA_CLOUD|CALLARCHIVE)_/;

interface Waiting<Question, Answer> {
  question: Question;
  resolve: (answer: Answer) => void;
  reject: (error: unknown) => void;
}

/**
One process for the whole run: each question is a line of its input, each answer a line of its output. It starts with the
first question. Its error output is not shown, because it may quote texts.
*/
export class LineProcess<Question, Answer> {
  readonly #dialog: Dialog<Question, Answer>;
  readonly #command: CommandLine;
  readonly #host: Pick<Host, "env" | "cwd">;
  readonly #timeoutMs: number;
  readonly #waiting = new Map<number, Waiting<Question, Answer>>();
  #child: ChildProcessByStdio<Writable, Readable, null> | undefined;
  #closed: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #failure: { error: unknown } | undefined;
  #count = 0;
  #answers = 0;
  #line: Buffer[] = [];
  #lineLength = 0;

  /** @param timeoutMs how long the command may be silent while questions wait */
  constructor(
    dialog: Dialog<Question, Answer>,
    command: CommandLine,
    host: Pick<Host, "env" | "cwd">,
    timeoutMs: number,
  ) {
    this.#dialog = dialog;
    this.#command = command;
    this.#host = host;
    this.#timeoutMs = timeoutMs;
  }

  /**
  The answer to each question.

  @throws CommandFailed, and the reason of the signal
  */
  async ask(questions: readonly Question[], signal: AbortSignal): Promise<Answer[]> {
    signal.throwIfAborted();
    const stop = (): void => this.#fail(signal.reason);
    signal.addEventListener("abort", stop, { once: true });
    try {
      const asked = questions.map((question) => this.#question(question, signal));
      return await Promise.all(asked);
    } finally {
      signal.removeEventListener("abort", stop);
    }
  }

  /** Ends the process. */
  async close(): Promise<void> {
    if (this.#child === undefined) return;
    this.#failure ??= { error: new CommandFailed(`${this.#name} has ended`) };
    this.#child.stdin.end();
    const timer = setTimeout(() => this.#child?.kill("SIGKILL"), END_MS);
    await this.#closed;
    clearTimeout(timer);
  }

  get #name(): string {
    return `The ${this.#dialog.name} ${basename(this.#command.program)}`;
  }

  #question(question: Question, signal: AbortSignal): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) return reject(this.#failure.error);
      const child = this.#child ?? this.#start(signal);
      this.#count += 1;
      this.#waiting.set(this.#count, { question, resolve, reject });
      if (this.#waiting.size === 1) this.#watch();
      child.stdin.write(`${JSON.stringify({ id: this.#count, ...this.#dialog.ask(question) })}\n`);
    });
  }

  #start(signal: AbortSignal): ChildProcessByStdio<Writable, Readable, null> {
    const { program, args } = this.#command;
    const env = Object.fromEntries(Object.entries(this.#host.env).filter(([name]) => !WITHHELD.test(name)));
    const child = spawn(program, args, { cwd: this.#host.cwd, env, stdio: ["pipe", "pipe", "ignore"] });
    this.#child = child;
    this.#closed = new Promise((resolve) => child.once("close", () => resolve()));
    // A closed input shows as the end of the process, or as silence.
    child.stdin.on("error", () => undefined);
    child.stdout.on("data", (chunk: Buffer) => this.#read(chunk));
    child.once("error", (error: NodeJS.ErrnoException) =>
      this.#fail(this.#failed(`could not be started: ${error.code}`)),
    );
    child.once("close", (code, signalName) => {
      const how = signalName === null ? `exit code ${code}` : signalName;
      // Ctrl-C reaches the command too.
      this.#fail(signal.aborted ? signal.reason : this.#failed(`ended with ${how}`));
    });
    return child;
  }

  #read(chunk: Buffer): void {
    let from = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
      this.#line.push(chunk.subarray(from, end));
      const line = Buffer.concat(this.#line);
      this.#line = [];
      this.#lineLength = 0;
      from = end + 1;
      this.#answer(line);
    }
    this.#lineLength += chunk.length - from;
    this.#line.push(chunk.subarray(from));
    if (this.#lineLength > LONGEST_LINE) this.#fail(this.#failed("wrote a line that is too long"));
  }

  #answer(line: Buffer): void {
    if (this.#failure !== undefined) return;
    this.#answers += 1;
    try {
      const answer = parseAnswer(line.toString());
      const waiting = this.#waiting.get(answer.id);
      if (waiting === undefined) throw new WrongAnswer("has an id that is not asked for, or was answered before");
      const found = this.#dialog.read(answer, waiting.question);
      this.#waiting.delete(answer.id);
      this.#watch();
      waiting.resolve(found);
    } catch (error) {
      const why = error instanceof WrongAnswer ? error.message : "cannot be read";
      this.#fail(this.#failed(`gave a wrong answer: line ${this.#answers} ${why}`));
    }
  }

  #watch(): void {
    clearTimeout(this.#timer);
    if (this.#waiting.size === 0) return;
    const silent = `was silent for ${this.#timeoutMs / 1000} s (${this.#dialog.timeoutFlag})`;
    this.#timer = setTimeout(() => this.#fail(this.#failed(silent)), this.#timeoutMs);
  }

  #failed(how: string): CommandFailed {
    return new CommandFailed(`${this.#name} ${how}; ${this.#dialog.things} without its answer: ${this.#waiting.size}.`);
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    clearTimeout(this.#timer);
    for (const { reject } of this.#waiting.values()) reject(this.#failure.error);
    this.#waiting.clear();
    this.#line = [];
    this.#child?.kill("SIGKILL");
  }
}
