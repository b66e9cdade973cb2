import { createWriteStream, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { prettyFactory } from 'pino-pretty';

export type LogFollower = {
  /** Takes one line of a process: into `<folder>/<name>.log` as it came, and onto the terminal with the process's name. */
  follow: (process: { name: string; color: number }) => (line: string) => void;
  /** A line of the launcher's own. */
  say: (line: string) => void;
  /** Keeps the terminal for something else; files are written on. */
  pause: () => void;
  resume: () => void;
};

const NAME_WIDTH = 8;

/** Prints what the product's processes log. JSON lines are made readable; anything else is shown as it came. */
export function createLogFollower(options: {
  folder: string;
  print: (text: string) => void;
  colors: boolean;
}): LogFollower {
  const { folder, print, colors } = options;
  mkdirSync(folder, { recursive: true });
  const pretty = prettyFactory({ colorize: colors, ignore: 'pid,hostname,process', singleLine: true });
  const readable = (line: string) => (line.startsWith('{') ? String(pretty(line)).trimEnd() : line);
  let paused = false;
  return {
    follow: ({ name, color }) => {
      const file = createWriteStream(join(folder, `${name}.log`), { flags: 'a' });
      const prefix = colors ? `\u001b[${color}m${name.padEnd(NAME_WIDTH)}\u001b[0m` : name.padEnd(NAME_WIDTH);
      return (line) => {
        file.write(`${line}\n`);
        if (!paused) print(`${prefix} ${readable(line)}\n`);
      };
    },
    say: (line) => print(`${line}\n`),
    pause: () => (paused = true),
    resume: () => (paused = false),
  };
}
