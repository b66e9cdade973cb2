import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { startProcess } from '../processes.ts';

const PROGRESS_EVERY_MS = 10_000;

export type CommandSpec = {
  command: string;
  args: readonly string[];
  env?: NodeJS.ProcessEnv;
  timeoutMs?: number;
  /** Called about every 10 s with the time so far, the last line the command printed, and all of them. */
  onProgress?: (seconds: number, lastLine: string, lines: readonly string[]) => void;
  /** Lets the command talk to the person at the terminal; then nothing is captured. Default false. */
  interactive?: boolean;
};

/** Runs a command to its end and returns what it printed. Fails with the end of its output when it does not exit with 0 in time. */
export async function runCommand(spec: CommandSpec): Promise<string> {
  if (spec.interactive === true) return runInteractively(spec);
  const lines: string[] = [];
  const startedAt = Date.now();
  const child = await startProcess({
    name: spec.command,
    command: spec.command,
    args: spec.args,
    ...(spec.env === undefined ? {} : { env: spec.env }),
    output: { onLine: (line) => lines.push(line) },
  });
  const ticker = setInterval(
    () => spec.onProgress?.(Math.round((Date.now() - startedAt) / 1000), lines.at(-1) ?? '', lines),
    PROGRESS_EVERY_MS,
  );
  const timeoutMs = spec.timeoutMs ?? 30_000;
  const exit = await Promise.race([child.exited, sleep(timeoutMs, undefined, { ref: false })]);
  clearInterval(ticker);
  const shown = `${spec.command} ${spec.args.join(' ')}`;
  if (exit === undefined) {
    await child.stop();
    throw new Error(`${shown} did not finish in ${timeoutMs / 1000} s. ${lines.slice(-3).join(' | ')}`);
  }
  if (exit.code !== 0)
    throw new Error(`${shown} failed (${exit.code ?? exit.signal}). ${lines.slice(-5).join(' | ')}`);
  return lines.join('\n');
}

async function runInteractively(spec: CommandSpec): Promise<string> {
  const child = spawn(spec.command, spec.args, { env: spec.env ?? process.env, stdio: 'inherit' });
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`${spec.command} ${spec.args.join(' ')} failed (${String(code)}).`);
  return '';
}
