/** A process of another user that opens watches and looks at directories, from the side of the test. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { exitOf, within } from '../support/processes.js';

const CHILD = fileURLToPath(new URL('./watch-agent-child.js', import.meta.url));
const ANSWER_MS = 20_000;
const O_RDWR_NONBLOCK = 0o2 | 0o4000;

export interface AgentUser {
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
}

export type AgentRequest =
  | { readonly call: 'open'; readonly path: string; readonly flags: number }
  | { readonly call: 'close' | 'readAll' | 'readWaiting' | 'isReadable'; readonly fd: number }
  | { readonly call: 'pread'; readonly fd: number }
  | { readonly call: 'write'; readonly fd: number; readonly text: string }
  | { readonly call: 'mayList'; readonly paths: readonly string[] }
  | { readonly call: 'mayRead'; readonly path: string };

export interface AgentAnswer {
  readonly value?: unknown;
  /** Name of the errno. */
  readonly error?: string;
}

export type Line = Readonly<Record<string, unknown>>;

export class WatchAgent {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, (answer: AgentAnswer) => void>();
  #nextId = 1;

  constructor(user: AgentUser) {
    const child = spawn(process.execPath, [CHILD, JSON.stringify(user)], {
      cwd: '/',
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    if (child.stdout === null) throw new Error('the agent has no output');
    this.#child = child;
    createInterface(child.stdout).on('line', (line) => {
      const { id, ...answer } = JSON.parse(line) as AgentAnswer & { id: number };
      this.#waiting.get(id)?.(answer);
      this.#waiting.delete(id);
    });
    child.on('exit', () => {
      for (const settle of this.#waiting.values()) settle({ error: 'ended' });
    });
  }

  ask(request: AgentRequest): Promise<AgentAnswer> {
    const id = this.#nextId++;
    const answered = new Promise<AgentAnswer>((resolve) => this.#waiting.set(id, resolve));
    this.#child.stdin?.write(`${JSON.stringify({ id, request })}\n`);
    return within(answered, ANSWER_MS, `the agent’s answer to ${request.call}`);
  }

  async #value<T>(request: AgentRequest): Promise<T> {
    const { value, error } = await this.ask(request);
    if (error !== undefined) throw new Error(`${request.call}: ${error}`);
    return value as T;
  }

  /** The descriptor of a watch that does not wait. Rejects with the errno's name. */
  async watch(mnt: string, filter?: object, flags = O_RDWR_NONBLOCK): Promise<number> {
    const fd = await this.#value<number>({ call: 'open', path: `${mnt}/.lustre/watch`, flags });
    if (filter !== undefined) {
      await this.#value({ call: 'write', fd, text: `${JSON.stringify(filter)}\n` });
    }
    return fd;
  }

  close(fd: number): Promise<unknown> {
    return this.#value({ call: 'close', fd });
  }

  async lines(fd: number): Promise<Line[]> {
    return linesOf(await this.#value<string>({ call: 'readAll', fd }));
  }

  /** Waits for the first lines. */
  async nextLines(fd: number): Promise<Line[]> {
    return linesOf(await this.#value<string>({ call: 'readWaiting', fd }));
  }

  isReadable(fd: number): Promise<boolean> {
    return this.#value({ call: 'isReadable', fd });
  }

  /** Of each directory whether it can be searched and listed by that path. */
  mayList(paths: readonly string[]): Promise<boolean[]> {
    return this.#value({ call: 'mayList', paths });
  }

  mayRead(path: string): Promise<boolean> {
    return this.#value({ call: 'mayRead', path });
  }

  async end(): Promise<void> {
    this.#child.stdin?.end();
    await exitOf(this.#child);
  }
}

export function linesOf(text: string): Line[] {
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Line);
}

/** Operation and name, or FID, of each line. */
export function brief(lines: readonly Line[]): string[] {
  return lines.map(({ op, name, fid }) => `${op} ${name ?? fid}`);
}

/** Runs `use` with an agent, and ends it whatever happens. */
export async function withAgent<T>(
  user: AgentUser,
  use: (agent: WatchAgent) => Promise<T>,
): Promise<T> {
  const agent = new WatchAgent(user);
  try {
    return await use(agent);
  } finally {
    await agent.end();
  }
}
